/** The load generators notice a server that does not do its work: otherwise a fast wrong one would win. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { Load, generators, type LoadOptions } from "../../bench/load/load.ts";

/** An answer to each message; what waits may be answered later. */
type Answer = (ws: WebSocket, data: Buffer, binary: boolean, number: number) => void;

const wrong: Readonly<Record<string, readonly [Answer, RegExp]>> = {
  "another text": [(ws, data) => ws.send(String(data).replace(/.$/, "?")), /another message/],
  "another number": [(ws, data) => ws.send(`f${String(data).slice(1)}`), /another message, or out of order/],
  "another length": [(ws, data) => ws.send(`${String(data)}x`), /another length/],
  "another type": [(ws, data) => ws.send(data, { binary: true }), /another type/],
  "another order": [
    (ws, data, _, number) => (number % 2 === 0 ? setTimeout(() => ws.send(String(data)), 20) : void ws.send(String(data))),
    /out of order/,
  ],
  "a close": [(ws) => ws.close(), /closed|ended/],
};
const available = generators.filter((name) => name !== "c" || spawnSync("cc", ["--version"]).status === 0);
const options: LoadOptions = { mode: "echo", connections: 1, inflight: 4, bytes: 32, type: "text" };

test.each(available.flatMap((generator) => Object.keys(wrong).map((how) => [generator, how] as const)))(
  "%s notices %s",
  async (generator, how) => {
    const [answer, complaint] = wrong[how]!;
    await using server = await serving(answer);
    const load = await Load.start(server.port, options, generator);
    await expect(load.slice(200)).rejects.toThrow(complaint);
    load.stop();
  },
);

test.each(available)("%s is content with an echo", async (generator) => {
  await using server = await serving((ws, data, binary) => ws.send(data, { binary }));
  const load = await Load.start(server.port, options, generator);
  // As many slices as a busy machine needs for one answer.
  await expect.poll(async () => (await load.slice(50)).messages, { timeout: 30_000 }).toBeGreaterThan(0);
  load.stop();
});

async function serving(answer: Answer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (ws) => {
    let number = 0;
    ws.on("error", () => {});
    ws.on("message", (data, binary) => answer(ws, data as Buffer, binary, number++));
  });
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, "close");
    },
  };
}
