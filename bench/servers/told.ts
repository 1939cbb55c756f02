/**
 * Runs a server (arguments: `<mode> <file>`) that is controlled by lines on stdin. `collect` collects garbage, so that the remaining memory is that
 * of connections; `exit` exits normally, as the runtimes' profilers require. It imports the server's file itself, because Deno's --preload would wait
 * for stdin to end.
 */
import process from "node:process";
import { createInterface } from "node:readline";

declare const Bun: { gc(force: boolean): void } | undefined;
declare const gc: (options: { type: "major"; flavor: "last-resort" }) => void;

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "exit") process.exit();
  for (let round = 0; round < 4; round++) {
    // As if memory ran out: V8 then also releases its reserve for future allocations, which is twice as large after a larger burst.
    if (typeof Bun === "undefined") gc({ type: "major", flavor: "last-resort" });
    else Bun.gc(true);
  }
  console.log("COLLECTED");
});
await import(process.argv[3]!);
