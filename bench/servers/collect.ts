/**
 * Around a server in mode `idle`: collects garbage when it is asked to, so that what is left is what connections take. It loads the
 * server itself, `<mode> <file>`: Deno's --preload would wait for stdin to end.
 */
import process from "node:process";

declare const Bun: { gc(force: boolean): void } | undefined;
declare const gc: () => void;

process.stdin.on("data", () => {
  for (let round = 0; round < 4; round++) {
    if (typeof Bun === "undefined") gc();
    else Bun.gc(true);
  }
  console.log("COLLECTED");
});
await import(process.argv[3]!);
