/** docs/guide/upgrading.md: a client goes on over a deploy, and its state has the new shape. */
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DeliverySocket } from "edgewire/delivery/client";
import { readPage, writePage } from "./pages.ts";
import { start, type Runtime } from "./run.ts";

const page = readPage("docs/guide/upgrading.md");

/** The handler before the deploy: of version 0, whose state was the name alone. */
const old = `import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";

const chat = defineHandler({
  delivery: delivery(),
  upgrade: (request) => ({ state: new URL(request.url).searchParams.get("name") ?? "someone" }),
  message: (connection) => void connection.send(String(connection.state)),
});
const server = await serve(chat, { port: Number(process.env.PORT ?? 3000), storage: sqlite("rooms.db") });
console.log(\`listening on \${server.url}\`);
`;

test.each<Runtime>(["node", "bun", "deno"])("on %s", async (runtime) => {
  const own = { ...page, folder: `${page.folder}-${runtime}` };
  writePage(own, { "old.ts": old });
  const before = await start(runtime, join(own.folder, "old.ts"));
  const socket = new DeliverySocket(`ws://127.0.0.1:${before.port}/?name=Ada`, [], { firstDelay: 10, maxDelay: 100 });
  const hears = async (): Promise<unknown> => ((await once(socket, "message")) as [MessageEvent])[0].data;
  try {
    let heard = hears();
    socket.send("hello");
    expect(await heard).toBe("Ada");
    const left = once(socket, "disconnect");
    await before[Symbol.asyncDispose]();
    await left;
    heard = hears();
    await using _after = await start(runtime, join(own.folder, "migrating.ts"), before.port);
    socket.send("/me");
    expect(await heard).toBe("Ada has sent 1");
  } finally {
    socket.close();
    await before[Symbol.asyncDispose]();
  }
});
