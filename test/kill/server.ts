/** A server to kill, on Node, Bun and Deno: `server.ts FILE [late]`. With `late` it is the control, which the check must catch. */
import process from "node:process";
import { serve } from "edgewire/serve";
import { sqlite, type SqliteStorage } from "edgewire/sqlite";
import { endWithParent } from "../serve/end.ts";
import { killed } from "./handler.ts";

const [file, mode] = process.argv.slice(2) as [string, string?];

/** Sends at once, and commits five milliseconds later. */
function late(storage: SqliteStorage): SqliteStorage {
  globalThis.setImmediate = ((callback: () => void) => setTimeout(callback, 5)) as unknown as typeof setImmediate;
  const gate: ReturnType<SqliteStorage["open"]>["gate"] = {
    through: (socket) => socket,
    connect: () => {},
    topics: (native) => native,
    prepare: () => undefined,
    pending: undefined,
    undone: undefined,
  };
  return { ...storage, open: (handler) => ({ ...storage.open(handler), gate }) };
}

const storage = sqlite(file);
const server = await serve(killed, { hostname: "127.0.0.1", signals: false, storage: mode === "late" ? late(storage) : storage });
endWithParent();
console.log(`LISTEN ${server.port}`);
