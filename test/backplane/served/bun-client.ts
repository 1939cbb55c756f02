/** Bun's own client is refused. Prints why. */
import { redis } from "edgewire/redis";

const { Bun } = globalThis as unknown as { readonly Bun: { readonly RedisClient: new (url: string) => object } };
try {
  redis({ client: new Bun.RedisClient("redis://127.0.0.1:1") });
} catch (error) {
  console.log((error as Error).message);
}
