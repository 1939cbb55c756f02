/** The other pages of docs/deploy: what they tell machines that are not here is checked. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPage, root, writePage } from "../docs/pages.ts";
import { start, startWorker, type Runtime } from "../docs/run.ts";
import { blockOf, deadline, health, server, talk } from "./kit.ts";
import { freePorts, run } from "./processes.ts";

interface Fly {
  readonly kill_signal: string;
  readonly kill_timeout: number;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: { readonly source: string; readonly destination: string };
  readonly http_service: { readonly internal_port: number; readonly checks: readonly { readonly path: string }[] };
}

describe("fly.md", () => {
  // Bun reads TOML.
  const script = "console.log(JSON.stringify(Bun.TOML.parse(process.argv[1])))";
  const bun = join(root, "node_modules/.bin/bun");
  const fly = JSON.parse(execFileSync(bun, ["-e", script, blockOf("fly", "fly.toml")], { encoding: "utf8" })) as Fly;

  test("its port, path, variables and volume are the Dockerfile's and the server's", () => {
    const dockerfile = blockOf("docker", "Dockerfile");
    expect(dockerfile).toContain(`VOLUME ${fly.mounts.destination}\n`);
    expect(dockerfile).toContain(`ROOMS=${fly.mounts.destination}/`);
    expect(String(fly.http_service.internal_port)).toBe(fly.env["PORT"]);
    for (const name of Object.keys(fly.env)) expect(server).toContain(`process.env.${name} `);
    for (const { path } of fly.http_service.checks) expect(server).toContain(`"${path}"`);
    expect(readFileSync(join(root, "docs/deploy/fly.md"), "utf8")).toContain(`fly volumes create ${fly.mounts.source} `);
  });

  test("it kills after the server's deadline", () => {
    expect(fly.kill_signal).toBe("SIGTERM");
    expect(fly.kill_timeout * 1000).toBeGreaterThan(deadline);
  });

  test("PROXIES finds the client in what Fly's proxy sends", async () => {
    const [port = 0] = await freePorts(1);
    const env = { PORT: String(port), PROXIES: fly.env["PROXIES"] ?? "" };
    await using running = run(process.execPath, [join(import.meta.dirname, "server.ts")], { env });
    await running.line(/^listening on/);
    // What the client claims, the client, and the app's own address.
    const headers = { "X-Forwarded-For": "192.0.2.1, 203.0.113.7, 198.51.100.5", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443" };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { ...headers, host: "my-chat.fly.dev" } });
    await once(socket, "open");
    const heard = once(socket, "message");
    socket.send("where");
    expect(JSON.parse(String((await heard)[0]))).toEqual({ remoteAddress: "203.0.113.7", url: "https://my-chat.fly.dev/" });
    socket.terminate();
  });
});

describe("systemd.md", () => {
  const unit = blockOf("systemd", "chat.service");
  const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

  // Debian's package `systemd` has it; a container may lack it, and the checks below go without.
  test.skipIf(!hasSystemd)("systemd-analyze has no complaint", () => {
    const folder = mkdtempSync(join(tmpdir(), "edgewire-unit-"));
    const path = join(folder, "chat.service");
    // It looks for the program.
    writeFileSync(path, unit.replace("/usr/bin/node", process.execPath));
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect([status, stdout + stderr]).toEqual([0, ""]);
  });

  test("each line is a section, a setting or a comment", () => {
    for (const line of unit.trim().split("\n")) expect(line).toMatch(/^(?:|#.*|\[(?:Unit|Service|Install)\]|[A-Z][A-Za-z]+=\S.*)$/);
  });

  test("it waits for the close, and its variables are the server's", () => {
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1000).toBeGreaterThan(deadline);
    const variables = /^Environment=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
    const names = variables.map((one) => one.split("=")[0]).filter((name) => name !== "NODE_ENV");
    expect(names).toEqual(["HOST", "PORT", "ROOMS"]);
    for (const name of names) expect(server).toContain(`process.env.${name} `);
    expect(unit).toMatch(/^StateDirectory=chat$/m);
    expect(variables).toContain("ROOMS=/var/lib/chat/rooms.db");
  });
});

describe("cloudflare.md", () => {
  const page = readPage("docs/deploy/cloudflare.md");
  beforeAll(() => writePage(page));

  test("wrangler would deploy it", { timeout: 60_000 }, () => {
    const env = { ...process.env, NO_COLOR: "1", CI: "1", WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
    const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
    const args = [wrangler, "deploy", "--dry-run", "--outdir", "out"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: page.folder, encoding: "utf8", env });
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain("env.ROOM (ChatRoom)");
    expect(stdout + stderr).not.toContain("WARNING");
  });

  test("its Worker has two clients talk, and answers /health", async () => {
    await using worker = await startWorker(join(page.folder, "worker.ts"), { ROOM: "ChatRoom" });
    for (const client of await talk(worker.port)) client.terminate();
    expect([await health(worker.port), await health(worker.port, "/")]).toEqual([200, 404]);
  });
});

test.each<Runtime>(["node", "bun", "deno"])("proxies.md: server.ts runs on %s", async (runtime) => {
  const page = readPage("docs/deploy/proxies.md");
  const own = { ...page, folder: `${page.folder}-${runtime}` };
  writePage(own);
  const [port = 0] = await freePorts(1);
  await using running = await start(runtime, join(own.folder, "server.ts"), port);
  expect([await health(running.port), await health(running.port, "/")]).toEqual([200, 404]);
  const clients = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}/`));
  await Promise.all(clients.map((client) => once(client, "open")));
  const heard = once(clients[1]!, "message");
  clients[0]?.send("hello");
  expect(String((await heard)[0])).toBe("hello");
  for (const client of clients) client.terminate();
});
