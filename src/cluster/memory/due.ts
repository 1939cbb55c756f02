/** Which rooms of a backplane in memory have a task due. */
import type { BackplaneDue, DueRooms } from "../tasks.ts";
import { dueOf } from "./tasks.ts";
import type { MemoryState } from "./state.ts";

type Rooms = ReadonlyMap<string, { readonly state: MemoryState }>;

interface GivenOut {
  readonly mark: string;
  readonly until: number;
}

export class MemoryDue implements BackplaneDue {
  readonly #rooms: Rooms;
  readonly #now: () => number;
  readonly #lease: number;
  readonly #given = new Map<string, GivenOut>();
  #marks = 0;

  constructor(rooms: Rooms, now: () => number, lease: number) {
    this.#rooms = rooms;
    this.#now = now;
    this.#lease = lease;
  }

  /** A task was put into the room: whoever has looked at it may not have seen it. */
  changed(room: string): void {
    this.#given.delete(room);
  }

  async take(limit: number): Promise<DueRooms> {
    const now = this.#now();
    const times = [...this.#rooms.keys()].map((room) => [room, this.#timeOf(room, now)] as const);
    const due = times.filter(([, time]) => time <= now).sort(([, a], [, b]) => a - b);
    const rooms = due.slice(0, limit).map(([room]) => {
      const mark = String(++this.#marks);
      this.#given.set(room, { mark, until: now + this.#lease });
      return { room, mark };
    });
    const next = Math.min(...[...this.#rooms.keys()].map((room) => this.#timeOf(room, now)));
    return { rooms, next: next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - now) };
  }

  async looked({ room, mark }: { readonly room: string; readonly mark: string }, next: number | undefined): Promise<void> {
    if (this.#given.get(room)?.mark !== mark) return;
    if (next === undefined) this.#given.delete(room);
    else this.#given.set(room, { mark: "", until: this.#now() + next });
  }

  #timeOf(room: string, now: number): number {
    const kept = this.#rooms.get(room)?.state.kept;
    const due = kept === undefined ? undefined : dueOf(kept, now);
    if (due === undefined) return Number.POSITIVE_INFINITY;
    return this.#given.get(room)?.until ?? due;
  }
}
