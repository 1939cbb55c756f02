/**
 * Cross-site WebSocket hijacking in Chromium. A user is logged in at the server; a page of another origin, which they have open too,
 * connects to it. To a cookie another port is the same site and even the same host (RFC 6265 section 8.5), so SameSite is no help there.
 */
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { args, executablePath } from "../support/chromium.ts";
import { start, startWorker } from "../docs/run.ts";
import type { Server } from "../docs/run.ts";

const file = (name: string): string => join(import.meta.dirname, "crosssite", name);
/** By --host-resolver-rules this machine. */
const elsewhere = "attacker.example";

interface Column {
  readonly name: string;
  start(origins: "default" | "*", log: (line: string) => void): Promise<Server>;
}

const bundled = (origins: string): Record<string, string> => ({ ORIGINS: JSON.stringify(origins) });

const columns: Column[] = [
  ...(["node", "bun", "deno"] as const).map((runtime): Column => ({
    name: runtime,
    start: (origins, log) => start(runtime, file("serve.ts"), 0, { env: { ORIGINS: origins }, log }),
  })),
  { name: "a plain Worker", start: (origins, log) => startWorker(file("plain.ts"), {}, { define: bundled(origins), log }) },
  {
    name: "a Durable Object",
    start: (origins, log) => startWorker(file("durable.ts"), { ROOM: "Room" }, { define: bundled(origins), log }),
  },
];

/** A user whose browser sends third-party cookies. Debian's Chromium is set not to, which does nothing about another port. */
async function userProfile(): Promise<AsyncDisposable & { readonly user: BrowserContext }> {
  const folder = await mkdtemp(join(tmpdir(), "edgewire-"));
  await mkdir(join(folder, "Default"));
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };
  await writeFile(join(folder, "Default/Preferences"), JSON.stringify(preferences));
  const mapped = [...args, `--host-resolver-rules=MAP ${elsewhere} 127.0.0.1`];
  const user = await chromium.launchPersistentContext(folder, { executablePath, args: mapped });
  const leave = async (): Promise<void> => {
    await user.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { user, [Symbol.asyncDispose]: leave };
}

/** What a page gets when it connects: the cookies that the server saw, or the close code of a failure, which is all that a page is told. */
async function connectsFrom(user: BrowserContext, page: string, server: string): Promise<string> {
  const tab = await user.newPage();
  await tab.goto(page);
  const got = await tab.evaluate(
    (url) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url);
        socket.onmessage = ({ data }) => resolve(String(data));
        socket.onclose = ({ code }) => resolve(String(code));
      }),
    server,
  );
  await tab.close();
  return got;
}

describe.skipIf(executablePath === "").each(columns)("$name", (column) => {
  let attacker: HttpServer;
  let port: number;
  beforeAll(async () => {
    attacker = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>Kittens</title>"));
    await once(attacker.listen(0, "127.0.0.1"), "listening");
    ({ port } = attacker.address() as AddressInfo);
  });
  afterAll(() => {
    attacker.close();
    attacker.closeAllConnections();
  });

  /** A user who has visited the server and is logged in. */
  async function attack(server: Server): Promise<Record<"own" | "otherPort" | "otherSite", string>> {
    await using profile = await userProfile();
    const { user } = profile;
    const own = `http://localhost:${server.port}/`;
    const socket = own.replace("http", "ws");
    return {
      own: await connectsFrom(user, own, socket),
      otherPort: await connectsFrom(user, `http://localhost:${port}/`, socket),
      otherSite: await connectsFrom(user, `http://${elsewhere}:${port}/`, socket),
    };
  }

  const all = "strict=1; lax=1; none=1";

  test("a page of another origin can't connect to a default server, and the log says why", async () => {
    const lines: string[] = [];
    await using server = await column.start("default", (line) => lines.push(line));
    expect(await attack(server)).toEqual({ own: all, otherPort: "1006", otherSite: "1006" });
    await expect
      .poll(() => lines.filter((line) => line.includes("403")))
      .toEqual(
        [`http://localhost:${port}`, `http://${elsewhere}:${port}`].map((origin) =>
          expect.stringContaining(
            `edgewire: 403: Origin "${origin}" is not the request's own host "localhost:${server.port}" and not in option "origins"`,
          ),
        ),
      );
  });

  test('with origins: "*" the same pages get in as the user: their cookies were sent', async () => {
    await using server = await column.start("*", () => {});
    expect(await attack(server)).toEqual({ own: all, otherPort: all, otherSite: "none=1" });
  });
});
