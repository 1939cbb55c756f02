/** A Redis of its own, which keeps nothing on the disk. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findRedis } from "../../scripts/redis.ts";
import { Lines } from "../load/lines.ts";

/** Of Redis and of all nodes. */
export const serverCore = 0;

export class RedisProcess {
  readonly url: string;
  readonly client: Redis;
  readonly #lines: Lines;
  readonly #folder: string;

  static async start(): Promise<RedisProcess> {
    const path = findRedis();
    if (path === undefined) throw new Error("bench/cluster needs Redis 7: apt-get install redis-server, or set REDIS_SERVER to its path");
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "edgewire-bench-redis-"));
    const options = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", "--maxclients", "1000"];
    const lines = new Lines(serverCore, [path, ...options]);
    try {
      await lines.until((line) => (line.includes("Ready to accept connections") ? true : undefined));
      return new RedisProcess(`redis://127.0.0.1:${port}`, lines, folder);
    } catch (error) {
      lines.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(url: string, lines: Lines, folder: string) {
    this.url = url;
    this.client = new Redis(url);
    this.client.on("error", () => {});
    this.#lines = lines;
    this.#folder = folder;
  }

  get cpu(): number {
    return this.#lines.cpu;
  }

  stop(): void {
    this.client.disconnect();
    this.#lines.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Redis prints no port that it chooses itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
