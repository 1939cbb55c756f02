/** Where the room runs: in memory, on each runtime, in Durable Objects that are evicted, over a file whose server is killed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { memory } from "edgewire/memory";
import type { WebSocketConstructor } from "edgewire/client";
import { WebSocket } from "ws";
import { start, startWorker } from "../../docs/run.ts";
import type { Server, WorkerServer } from "../../docs/run.ts";
import { messages, packed } from "./definition.ts";
import { handler, packedHandler } from "./room.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
export const patience = { timeout: 60_000, interval: 5 };

export interface Place {
  readonly url: string;
  readonly WebSocket: WebSocketConstructor;
  /** Default: messages in both codecs. */
  readonly messages?: typeof messages;
  /** `disturb` keeps connections. */
  readonly evicts: boolean;
  /** What else may happen at any moment: an eviction, a restart. */
  disturb(room: string): Promise<void>;
  end(): Promise<void>;
}

async function place(launch: () => Promise<Server>): Promise<Place> {
  const server = await launch();
  return {
    url: `ws://127.0.0.1:${server.port}`,
    WebSocket,
    evicts: false,
    disturb: async () => {},
    end: async () => server[Symbol.asyncDispose](),
  };
}

async function objects(): Promise<Place> {
  const server: WorkerServer = await startWorker(file("worker.ts"), { ROOM: "Room" }, { log: () => {} });
  return {
    url: `ws://127.0.0.1:${server.port}`,
    WebSocket,
    evicts: true,
    // workerd 2026-11 may never again evict an object whose clients were reset (cloudflare/workerd#6862): it is not waited for then.
    disturb: (room) => Promise.race([server.evict("Room", room), delay(2000)]),
    end: async () => server[Symbol.asyncDispose](),
  };
}

/** A server over a file, which is killed and started again. */
async function kept(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-resume-"));
  const launch = (port: number): Promise<Server> => start("node", file("serve.ts"), port, { env: { FILE: join(folder, "rooms.db") } });
  let server = await launch(0);
  const { port } = server;
  return {
    url: `ws://127.0.0.1:${port}`,
    WebSocket,
    evicts: false,
    async disturb() {
      await server[Symbol.asyncDispose]();
      server = await launch(port);
    },
    async end() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

async function inMemory(given = handler, defined = messages): Promise<Place> {
  const server = memory(given);
  return {
    url: "ws://localhost",
    WebSocket: server.WebSocket,
    messages: defined,
    evicts: true,
    disturb: () => server.hibernate(),
    end: () => server.close(),
  };
}

export const places: Record<string, () => Promise<Place>> = {
  memory: () => inMemory(),
  "memory, in MessagePack": () => inMemory(packedHandler, packed),
  node: () => place(() => start("node", file("serve.ts"))),
  bun: () => place(() => start("bun", file("serve.ts"))),
  deno: () => place(() => start("deno", file("serve.ts"))),
  durable: objects,
  "sqlite, killed": kept,
};
