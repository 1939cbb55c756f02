/** A client of ioredis that gathers commands by itself. */
import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import { redis } from "../../adapters/redis/index.ts";
import { Member, publish } from "./member.ts";
import { RedisServer } from "./redis-server.ts";

const path = inject("redis");

test.skipIf(path === "").each([true, false])("enableAutoPipelining, sharded: %s", async (sharded) => {
  const server = await RedisServer.start(path);
  const clients = [new Redis(server.url, { enableAutoPipelining: true }), new Redis(server.url)] as const;
  const backplane = redis({ client: clients[0], subscriber: clients[1], sharded });
  try {
    // Scripts that Redis does not know yet are sent as a whole.
    const members = await Promise.all([Member.join(backplane, "a"), Member.join(backplane, "b")]);
    await Promise.all(members.map((member) => member.turn(publish(`to ${member.name}`, { topics: ["t"] }))));
    for (const member of members)
      expect((await member.changes(1)).at(-1)).toMatchObject({ type: "published", payload: `to ${member.name}` });
    const { promise, resolve } = Promise.withResolvers<string>();
    const mailbox = backplane.mailbox("one", resolve);
    await mailbox.open();
    await backplane.mailbox("other", () => {}).send("one", "hello");
    expect(await promise).toBe("hello");
  } finally {
    await backplane.close();
    for (const client of clients) client.disconnect();
    await server.stop();
  }
});
