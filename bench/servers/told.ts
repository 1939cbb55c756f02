/**
 * Around a server that is told things on stdin: `<mode> <file>` are its arguments, the file is the server. `collect` collects garbage,
 * so that what is left is what connections take; `exit` exits, as the runtimes' profilers want it. It loads the server itself, because
 * Deno's --preload would wait for stdin to end.
 */
import process from "node:process";
import { createInterface } from "node:readline";

declare const Bun: { gc(force: boolean): void } | undefined;
declare const gc: (options: { type: "major"; flavor: "last-resort" }) => void;

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "exit") process.exit();
  for (let round = 0; round < 4; round++) {
    // As where memory runs out: V8 gives back what it keeps for allocations to come, of which it keeps twice as much after a larger burst.
    if (typeof Bun === "undefined") gc({ type: "major", flavor: "last-resort" });
    else Bun.gc(true);
  }
  console.log("COLLECTED");
});
await import(process.argv[3]!);
