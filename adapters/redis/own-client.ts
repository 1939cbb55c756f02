/** The clients that `redis("redis://…")` creates. */
import { builtin } from "./buffer.ts";
import type { IoredisClient } from "./ioredis.ts";

interface Own extends IoredisClient {
  readonly stream?: { unref?(): void };
}

type Ioredis = new (url: string, options: object) => Own;

const settings = {
  // Commands that fail are repeated by the room, with what is current then.
  maxRetriesPerRequest: 1,
  keepAlive: 10_000,
  // A connection that leads to what is a replica now.
  reconnectOnError: (error: Error): boolean => error.message.startsWith("READONLY"),
  retryStrategy: (times: number): number => Math.min(times * 50, 2000),
};

/** @throws Error if ioredis is not installed, what ioredis throws for a wrong address. */
export function createClient(url: string, warn: (message: string) => void): IoredisClient {
  const client = new (load())(url, settings);
  let isTold = false;
  client.on("ready", () => void (isTold = false));
  client.on("error", (error: Error) => {
    if (!isTold) warn(`redis: no connection, and tries again: ${error.message} [EW437]`);
    isTold = true;
  });
  // It keeps no process alive that has nothing else to do.
  client.on("connect", () => client.stream?.unref?.());
  return client;
}

function load(): Ioredis {
  const { createRequire } = builtin<{ createRequire(from: string): (name: string) => unknown }>("node:module");
  try {
    return (createRequire(import.meta.url)("ioredis") as { readonly Redis: Ioredis }).Redis;
  } catch (cause) {
    throw new Error("redis(url) needs ioredis: npm install ioredis [EW425]", { cause });
  }
}
