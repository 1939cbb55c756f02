/** The site as `npm run docs` serves it, on a port of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Server extends AsyncDisposable {
  readonly url: string;
}

export async function serveSite(): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), "serve", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "exit");
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    const stop = async (): Promise<void> => {
      child.kill();
      await gone;
    };
    return { url, [Symbol.asyncDispose]: stop };
  }
  throw new Error("the site ended before it served");
}
