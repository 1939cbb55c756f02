import process from "node:process";

/** Ends this process when the one that started it closes its stdin, or is gone: no test run leaves a server behind. */
export function endWithParent(): void {
  process.stdin.on("end", () => process.exit()).resume();
}
