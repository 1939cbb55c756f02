/** An undone turn, when what it calls throws. */
import { expect, test, vi } from "vitest";
import { SocketGate } from "../../adapters/sqlite/gate.ts";
import type { Database } from "../../adapters/sqlite/database.ts";
import type { HoldingSocket } from "../../adapters/sqlite/held.ts";

test("an undone turn ends every socket that misses something, even if what was held or who is told throws", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const gate = new SocketGate({} as Database);
  const calls: string[] = [];
  gate.undone = (): void => {
    calls.push("undone");
    throw new Error("undone");
  };
  gate.hold({
    release: () => {},
    drop: () => {
      throw new Error("drop");
    },
  });
  const socket = { discard: () => calls.push("discard"), fail: () => calls.push("fail") };
  gate.hold(socket as unknown as HoldingSocket, "lost");

  gate.turnUndone(new Error("disk full"), new Set(["r"]));

  expect(calls).toEqual(["discard", "undone", "fail"]);
  expect(console.error).toHaveBeenCalledTimes(2);
  vi.restoreAllMocks();
});
