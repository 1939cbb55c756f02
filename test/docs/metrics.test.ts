/** The chat's `/metrics` as Prometheus reads it, on every runtime. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { root } from "./pages.ts";
import { start, startWorker } from "./run.ts";
import type { Runtime, Server } from "./run.ts";

const file = (name: string): string => join(root, "examples/chat", name);

/** Every sample by its name and labels; throws for a line that is none of Prometheus's text format 0.0.4. */
async function scrape({ port }: Server, path: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  const text = await response.text();
  expect(text.endsWith("\n")).toBe(true);
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.slice(0, -1).split("\n")) {
    const [, type, kind] = /^# TYPE (\w+) (counter|gauge)$/.exec(line) ?? [];
    if (type !== undefined && kind !== undefined) {
      expect(types.has(type)).toBe(false);
      types.set(type, kind);
    }
    if (line.startsWith("# ")) {
      expect(line).toMatch(/^# (HELP \w+ .+|TYPE \w+ (counter|gauge))$/);
      continue;
    }
    const [, series = "", name = "", value] =
      /^((\w+)(?:\{\w+="(?:[^"\\]|\\[\\"n])*"(?:,\w+="(?:[^"\\]|\\[\\"n])*")*\})?) (\d+)$/.exec(line) ?? [];
    expect([line, types.get(name)]).toEqual([line, name.endsWith("_total") ? "counter" : "gauge"]);
    expect(samples.has(series)).toBe(false);
    samples.set(series, Number(value));
  }
  return samples;
}

async function enter(port: number, name: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/lobby?name=${name}`);
  await once(socket, "message");
  return socket;
}

/** One says something to another, then leaves. */
async function someTraffic(port: number): Promise<WebSocket> {
  const ada = await enter(port, "Ada");
  const heard: string[] = [];
  ada.on("message", (data) => heard.push(String(data)));
  const grace = await enter(port, "Grace");
  grace.send(JSON.stringify({ type: "request", id: 1, name: "say", payload: { text: "hello" } }));
  await expect.poll(() => heard.some((text) => text.includes('"said"'))).toBe(true);
  grace.close(4000);
  await expect.poll(() => heard.some((text) => text.includes('"left"'))).toBe(true);
  return ada;
}

test.each<Runtime>(["node", "bun", "deno"])("/metrics and /metrics/lobby on %s", async (runtime) => {
  const state = mkdtempSync(join(tmpdir(), "edgewire-chat-"));
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
  await using server = await start(runtime, file("server.ts"), 0, { env: { CHAT_STATE: state } });
  const before = await scrape(server, "/metrics");
  expect(before.get("edgewire_connections_open") ?? before).toBe(0);
  const stays = await someTraffic(server.port);
  const refused = await fetch(`http://127.0.0.1:${server.port}/ws/lobby?name=Ada`);
  expect(refused.status).toBe(426);
  const labels = { "/metrics": "", "/metrics/lobby": 'room="lobby",' };
  for (const [path, room] of Object.entries(labels)) {
    const after = await scrape(server, path);
    const of = (name: string, more = ""): number | undefined =>
      after.get(`edgewire_${name}{${room}${more}}`.replace(",}", "}").replace("{}", ""));
    expect([of("connections_open"), of("connections_opened_total"), of("connections_closed_total", 'code="4000"')]).toEqual([1, 2, 1]);
    expect(of("messages_total", 'direction="received"')).toBe(1);
    expect(of("messages_total", 'direction="sent"')).toBeGreaterThanOrEqual(5);
    expect(of("handshakes_refused_total", 'cause="426"')).toBe(room === "" ? 1 : undefined);
  }
  const nobody = await scrape(server, `/metrics/${encodeURIComponent('say "what"')}`);
  expect(nobody.get('edgewire_connections_open{room="say \\"what\\""}') ?? nobody).toBe(0);
  expect((await fetch(`http://127.0.0.1:${server.port}/metrics/${"r".repeat(200)}`)).status).toBe(400);
  stays.terminate();
});

test("/metrics/lobby on workerd; /metrics says that there is no whole", async () => {
  await using server = await startWorker(file("worker.ts"), { ROOM: "ChatRoom" });
  const stays = await someTraffic(server.port);
  const after = await scrape(server, "/metrics/lobby");
  expect(after.get('edgewire_connections_open{room="lobby"}') ?? after).toBe(1);
  expect(after.get('edgewire_connections_closed_total{room="lobby",code="4000"}') ?? after).toBe(1);
  const whole = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  expect([whole.status, await whole.text()]).toEqual([404, "On Cloudflare there are numbers of a room, not of all: GET /metrics/lobby"]);
  await server.evict("ChatRoom", "lobby");
  const woken = await scrape(server, "/metrics/lobby");
  expect([woken.get('edgewire_connections_open{room="lobby"}'), woken.get('edgewire_connections_opened_total{room="lobby"}')]).toEqual([
    1, 0,
  ]);
  stays.terminate();
});
