/** Which room an object is, and whether it is the one that somebody asks for. */
import { quoted } from "../../src/values/log.ts";

export class Identity {
  readonly #binding: string;
  readonly #jurisdiction: string | undefined;
  #room: string | undefined;

  /** @param room unknown where the object was addressed by id alone, until its first client or caller names it. */
  constructor(binding: string, jurisdiction: string | undefined, room: string | undefined) {
    this.#binding = binding;
    this.#jurisdiction = jurisdiction;
    this.#room = room;
  }

  get room(): string | undefined {
    return this.#room;
  }

  /** What is wrong when a room's name is not this object's. */
  misplaced(name: string): string | undefined {
    this.#room ??= name;
    return name === this.#room
      ? undefined
      : `room ${quoted(name)} was sent to the object of room ${quoted(this.#room)}: an object is found by idFromName(room)`;
  }

  /** @throws Error when the room is another object's, or was asked for in another jurisdiction. */
  check(name: string, jurisdiction: string | undefined): void {
    if (jurisdiction !== this.#jurisdiction) {
      throw new Error(
        `room ${quoted(name)} was asked for in ${show(jurisdiction)}, its handler is in ${show(this.#jurisdiction)}: rooms(env.${this.#binding}, { jurisdiction }) takes the handler's`,
      );
    }
    const misplaced = this.misplaced(name);
    if (misplaced !== undefined) throw new Error(misplaced);
  }
}

function show(jurisdiction: string | undefined): string {
  return jurisdiction === undefined ? "no jurisdiction" : `jurisdiction "${jurisdiction}"`;
}
