/** `npm start` as a command: what it says when it can't, and that nothing stays behind when it ends. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { root } from "./server.ts";

const script = join(root, "examples/start.ts");

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): readonly [status: number | null, said: string] {
  const { status, stderr } = spawnSync(process.execPath, [script, "chat", ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  return [status, stderr.trim()];
}

describe("npm start", () => {
  test("names the runtimes when asked for another", () => {
    expect(start(["ruby"])).toEqual([1, "npm start -- ruby: choose one of workerd, bun, deno, node."]);
  });

  test("says which port is in use, and what a port is", async () => {
    const blocker = createServer().listen(0);
    await once(blocker, "listening");
    const { port } = blocker.address() as AddressInfo;
    expect(start(["node"], { PORT: String(port) })).toEqual([
      1,
      `Port ${port} is in use. Stop what uses it, or choose another: PORT=3000 npm start`,
    ]);
    blocker.close();
    expect(start(["node"], { PORT: "http" })).toEqual([1, "PORT=http: a port is a number from 1 to 65535."]);
  });

  test.each(["workerd", "bun", "deno", "node"])("%s serves the page, and ends with npm", async (runtime) => {
    const state = mkdtempSync(join(tmpdir(), "edgewire-start-"));
    const env = { ...process.env, CHAT_STATE: state };
    const npm = spawn("npm", ["start", "--", runtime], { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void npm.kill("SIGTERM"));
    let url: string | undefined;
    for await (const line of createInterface(npm.stdout)) {
      url = /^Chat is at (http:\S+)$/.exec(line)?.[1];
      if (url !== undefined) break;
    }
    if (url === undefined) throw new Error(`npm start -- ${runtime} ended`);
    const page = await fetch(url);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain("<title>Edgewire chat</title>");
    expect((await fetch(`${url}/js/main.js`)).status).toBe(200);
    expect((await fetch(`${url}/ws/lobby?name=Ada`)).status).toBe(426);
    npm.kill("SIGTERM");
    const gone = async (): Promise<boolean> =>
      fetch(`${url}/`, { headers: { connection: "close" } }).then(
        () => false,
        () => true,
      );
    await expect.poll(gone, { timeout: 20_000 }).toBe(true);
    rmSync(state, { recursive: true, force: true });
  });
});
