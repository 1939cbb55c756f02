/**
 * Opens a file with 100 000 rooms of 1 GB, and asks what is due first: `opening.ts FILE` prints the milliseconds of both. It makes the file if there is
 * none. Runs on Node, Bun and Deno, for kept.ts.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { sqlite } from "edgewire/sqlite";

const path = process.argv[2] ?? "";
const text = "x".repeat(5000);

if (!existsSync(path)) {
  const opened = sqlite(path).open("");
  for (let room = 0; room < 100_000; room++) {
    const store = opened.store(`room ${room}`);
    for (const key of ["value:a", "value:b"]) store.set(key, text);
    opened.appointments.set(`room ${room}`, 1_900_000_000_000 + room);
    if (room % 500 === 0) await opened.gate.pending;
  }
  opened.close();
}
const begin = performance.now();
const opened = sqlite(path).open("");
opened.appointments.first();
console.log((performance.now() - begin).toFixed(1));
opened.close();
