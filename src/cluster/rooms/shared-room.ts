/** A room that spans servers, as the hooks of this one hold it. What it does not override is the same on one server and on several. */
import type { Sendable, SendResult } from "../../api/connection.ts";
import type { History, HistoryReader } from "../../api/history.ts";
import type { Rooms, ScheduledCall } from "../../api/room.ts";
import { readHistory } from "../../history/read.ts";
import { encodeArguments } from "../../rooms/calls/wire.ts";
import { checkScheduledId } from "../../rooms/due/scheduled-calls.ts";
import { LocalRoom } from "../../rooms/local-room.ts";
import type { SharingRooms } from "./sharing.ts";
import type { RoomTasks } from "../due/tasks.ts";

/** What is needed of all rooms. */
export interface SharedRoomHost<State, Env> {
  readonly registry: SharingRooms<State, Env>;
  /** @throws BackplaneError if this node has not joined the room. */
  elsewhereIn(room: string, topic?: string): number;
  topicsElsewhere(room: string): ReadonlyMap<string, number>;
  log(room: string, topic: string): Parameters<typeof readHistory>[0];
  deleteHistory(room: string, topic: string): boolean;
  sendElsewhere(room: string, id: string, data: Sendable): SendResult;
  readonly tasks: Pick<RoomTasks<State, Env>, "setAlarm" | "schedule">;
  lacks(what: string): never;
}

export class SharedRoom<State, Env> extends LocalRoom<State, Env> {
  readonly #host: SharedRoomHost<State, Env>;

  constructor(host: SharedRoomHost<State, Env>, name: string, outside?: Rooms) {
    super(host.registry, name, outside);
    this.#host = host;
  }

  override count(topic?: string): number {
    return super.count(topic) + this.#host.elsewhereIn(this.name, topic);
  }

  override topics(): ReadonlyMap<string, number> {
    const counts = new Map(super.topics());
    for (const [topic, count] of this.#host.topicsElsewhere(this.name)) counts.set(topic, (counts.get(topic) ?? 0) + count);
    return counts;
  }

  override history(topic: string, reader: HistoryReader = {}): History {
    return readHistory(this.#host.log(this.name, topic), reader, this.#host.registry.host.clock.now());
  }

  override deleteHistory(topic: string): boolean {
    return this.#host.deleteHistory(this.name, topic);
  }

  override send(connectionId: string, data: Sendable): SendResult {
    const result = super.send(connectionId, data);
    return result === "closed" ? this.#host.sendElsewhere(this.name, connectionId, data) : result;
  }

  override disconnect(connectionId: string, code?: number, reason?: string): boolean {
    return super.disconnect(connectionId, code, reason) || this.#host.lacks("disconnect of a connection of another server");
  }

  override async delete(): Promise<number> {
    return this.#host.lacks("delete");
  }

  override setAlarm(time: Date | number | null): void {
    this.#host.tasks.setAlarm(this.name, time);
  }

  override schedule(time: Date | number, call: string, ...args: unknown[]): string {
    return this.#host.tasks.schedule(this.name, time, call, encodeArguments("schedule", args));
  }

  override scheduled(): readonly ScheduledCall[] {
    throw askOutside("scheduled", this.name);
  }

  override unschedule(id: string): boolean {
    checkScheduledId(id);
    throw askOutside("unschedule", this.name);
  }
}

/** What only the backplane knows. */
function askOutside(method: string, room: string): Error {
  return new Error(
    `${method}: a hook can't wait for the backplane: ask room.rooms.room(${JSON.stringify(room)}).${method}, whose promise does [EW444]`,
  );
}
