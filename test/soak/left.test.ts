/** Clients that leave while `upgrade` is pending: nothing of them stays, on any runtime. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { settle, Watch } from "../fuzz/watch.ts";
import { processRuntimes, Running } from "../runtimes.ts";
import { encodeRequest } from "../wire/http.ts";

const clients = 100;
const patience = 30_000;
/** Descriptors that a runtime may hold for its own purposes. */
const slack = 16;

const ways = { resets: "resetAndDestroy", "sends FIN": "destroy" } as const;
const runs = processRuntimes.flatMap((runtime) => Object.entries(ways).map(([name, way]) => ({ runtime, name, way })));

test.for(runs)("$runtime: a client that $name", { timeout: 120_000 }, async ({ runtime, way }) => {
  const running = await Running.start(runtime);
  try {
    const { port } = running.address("main")!;
    const watch = new Watch(port, false);
    const query = new URLSearchParams({ tag: "left", peer: "1", room: "left", upgrade: JSON.stringify([["sleep", 500], ["accept"]]) });
    const request = encodeRequest({ target: `/?${query}` }, `localhost:${port}`);
    const count = (key: "hook" | "done", name: string): number => running.log.entries.filter((entry) => entry[key] === name).length;
    // An object's isolate, and what else is made for the first client.
    await leave(port, request, 1, () => reached(1), way);
    const before = watch.descriptors;

    await leave(port, request, clients, () => reached(clients + 1), way);
    await running.log.until("every upgrade", () => (count("done", "upgrade") > clients ? true : undefined), patience);
    expect(await settle(() => watch.descriptors, before + slack, patience), "descriptors").toBeLessThanOrEqual(before + slack);
    running.assertAlive();

    function reached(all: number): Promise<true> {
      return running.log.until("upgrade", () => (count("hook", "upgrade") >= all ? true : undefined), patience);
    }
  } finally {
    await running.stop();
  }
});

async function leave(port: number, request: Buffer, count: number, wait: () => Promise<unknown>, way: (typeof ways)[keyof typeof ways]) {
  const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  for (const socket of sockets) socket.write(request);
  await wait();
  for (const socket of sockets) socket[way]();
}
