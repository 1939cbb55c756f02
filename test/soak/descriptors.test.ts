/** A server that is out of descriptors keeps the clients that it has, and serves new ones once there are some again. */
import { expect, test } from "vitest";
import { Served, connect, echoes, serves } from "../deno/served.ts";

test.for(["node", "bun", "deno"] as const)("%s", { timeout: 60_000 }, async (runtime) => {
  await using served = await Served.start({}, runtime);
  const open = await connect(served.port);
  for (let round = 0; round < 2; round++) {
    await served.do("hog");
    const clients = Array.from({ length: 20 }, () => connect(served.port).catch(() => undefined));
    // Long enough for each of them to be refused, or to wait.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await echoes(open, "still here");
    await served.do("free");
    await serves(served);
    for (const client of clients) void client.then((socket) => socket?.terminate());
  }
  await echoes(open, "and now");
  expect(served.out.filter((line) => line.startsWith("LISTEN "))).toHaveLength(1);
});
