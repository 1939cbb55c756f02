/** Calls of the handler `main` for the cases of scheduled calls: see ../contract/schedules.ts. Runs on every runtime. */
import type { LocalRoom } from "edgewire";

export const scheduledCalls = {
  /** What ran, and when, in the order of the runs. */
  async note(room: LocalRoom, text: string): Promise<void> {
    await room.storage.update<unknown[]>("noted", (noted = []) => [...noted, [text, Date.now()]]);
    room.broadcast(`ran ${text}`);
  },
  noted: (room: LocalRoom) => room.storage.get("noted"),
  /** Fails at the first run. */
  async failFirst(room: LocalRoom, text: string): Promise<void> {
    await scheduledCalls.note(room, text);
    const runs = await room.storage.update<number>("runs", (count = 0) => count + 1);
    if (runs === 1) throw new Error(`${text} fails`);
  },
  /** Schedules itself for now, so many times. */
  async countDown(room: LocalRoom, left: number): Promise<void> {
    await scheduledCalls.note(room, String(left));
    if (left > 0) room.schedule(0, "countDown", left - 1);
  },
};
