/** Which room an object belongs to, and whether that is the requested one. */
import { quoted } from "../../src/values/log.ts";

export class Identity {
  readonly #binding: string;
  readonly #jurisdiction: string | undefined;
  #room: string | undefined;

  /** @param room undefined if the object was addressed only by id; then its first client or caller names it. */
  constructor(binding: string, jurisdiction: string | undefined, room: string | undefined) {
    this.#binding = binding;
    this.#jurisdiction = jurisdiction;
    this.#room = room;
  }

  get room(): string | undefined {
    return this.#room;
  }

  /** An error message if the room belongs to another object; undefined if it is this object's. */
  misplaced(name: string): string | undefined {
    this.#room ??= name;
    return name === this.#room
      ? undefined
      : `room ${quoted(name)} was sent to the object of room ${quoted(this.#room)}: get a room's object by idFromName(room) [EW701]`;
  }

  /** @throws Error if the room belongs to another object, or was requested in another jurisdiction. */
  check(name: string, jurisdiction: string | undefined): void {
    if (jurisdiction !== this.#jurisdiction) {
      throw new Error(
        `room ${quoted(name)} was requested in ${show(jurisdiction)}, but its handler is in ${show(this.#jurisdiction)}: pass the handler's to rooms(env.${this.#binding}, { jurisdiction }) [EW709]`,
      );
    }
    const misplaced = this.misplaced(name);
    if (misplaced !== undefined) throw new Error(misplaced);
  }
}

function show(jurisdiction: string | undefined): string {
  return jurisdiction === undefined ? "no jurisdiction" : `jurisdiction "${jurisdiction}"`;
}
