/** Where logs outlive memory: those of a room that nobody is in leave it, and are read again when they are needed. */
import type { Schedule } from "../time/schedule.ts";
import type { Appointments } from "./expiry.ts";

/** What is needed where logs outlive memory. */
export interface Lasting {
  readonly times: Appointments;
  /** Whether somebody is in the room. */
  isHeld(room: string): boolean;
}

interface IdleHost {
  readonly schedule: Schedule;
  readonly clock: { now(): number };
}

/** The schedule's task. */
const task = "idle rooms";
/** Milliseconds, at most, that the logs of an empty room stay in memory. */
const idleFor = 10_000;

export class IdleRooms {
  readonly #host: IdleHost;
  readonly #lasting: Lasting;
  readonly #rooms: Map<string, unknown>;
  readonly #released: () => void;
  /** Rooms that nobody holds are about to leave memory. */
  #isLeaving = false;

  /** @param rooms those in memory. @param released a room has left it. */
  constructor(host: IdleHost, lasting: Lasting, rooms: Map<string, unknown>, released: () => void) {
    this.#host = host;
    this.#lasting = lasting;
    this.#rooms = rooms;
    this.#released = released;
  }

  releaseLater(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#host.schedule.at(task, this.#host.clock.now() + idleFor, () => {
      this.#isLeaving = false;
      for (const room of this.#rooms.keys()) if (!this.#lasting.isHeld(room)) this.#rooms.delete(room);
      this.#released();
      if (this.#rooms.size > 0) this.releaseLater();
    });
  }

  /** No room is in memory. */
  cancel(): void {
    if (!this.#isLeaving) return;
    this.#isLeaving = false;
    this.#host.schedule.cancel(task);
  }
}
