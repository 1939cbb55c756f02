/** On Node what a turn sends waits in the queue that its messages go through anyway: order, closes, pings and a failed commit, on the wire. */
import { once } from "node:events";
import { defineHandler } from "edgewire";
import { serve } from "edgewire/node";
import { sqlite } from "edgewire/sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { failWhere } from "./failing.ts";
import { newFile } from "./file.ts";

interface Client {
  readonly ws: WebSocket;
  /** What it got, in order: messages, pings, and the close. */
  readonly got: string[];
  readonly closed: Promise<unknown>;
}

async function start(handler: ReturnType<typeof defineHandler>): Promise<(perMessageDeflate?: boolean) => Promise<Client>> {
  const server = await serve(handler, { hostname: "127.0.0.1", signals: false, storage: sqlite(newFile()) });
  onTestFinished(() => server.close({ deadline: 1000 }));
  return async (perMessageDeflate = false) => {
    const ws = new WebSocket(server.url.replace("http", "ws"), { perMessageDeflate });
    const got: string[] = [];
    ws.on("message", (data: Buffer) => got.push(data.toString()));
    ws.on("pong", () => got.push("pong"));
    ws.on("close", (code, reason) => got.push(`${code} ${reason.toString()}`.trim()));
    const closed = once(ws, "close");
    await once(ws, "open");
    return { ws, got, closed };
  };
}

test.each([false, true])("messages come in order, and a close after them (compressed: %s)", async (compression) => {
  const connect = await start(
    defineHandler({
      compression,
      message(connection) {
        connection.send("1");
        void connection.room.storage.set("a", 1);
        connection.send("2");
        connection.send(Buffer.from("3"));
        connection.room.broadcast("4");
        connection.close(4000, "order");
      },
    }),
  );
  const { ws, got, closed } = await connect(compression);
  ws.send("go");
  await closed;
  expect(got).toEqual(["1", "2", "3", "4", "4000 order"]);
});

test("a client that closes in the turn gets what was sent to it before", async () => {
  const connect = await start(
    defineHandler({
      message(connection) {
        void connection.room.storage.set("a", 1);
        connection.send("kept");
      },
    }),
  );
  const { ws, got, closed } = await connect();
  ws.send("go");
  ws.ping();
  ws.close(4001, "leaving");
  await closed;
  expect(got.toSorted()).toEqual(["4001 leaving", "kept", "pong"]);
});

test("a commit that fails: nothing of its turn is on the wire, and the next turn goes through", async () => {
  let failing = true;
  failWhere((sql) => (failing && sql === "COMMIT" ? "database or disk is full" : undefined));
  const errors: unknown[] = [];
  const connect = await start(
    defineHandler({
      async message(connection, data) {
        if (data === "read") return void connection.send(String(await connection.room.storage.get("a")));
        void connection.room.storage.set("a", data);
        connection.room.broadcast(data);
        connection.send("x".repeat(100_000));
      },
      error: (error, { hook }) => void errors.push([hook, String(error)]),
    }),
  );
  const [writer, reader] = [await connect(), await connect()];
  writer.ws.send("lost");
  await Promise.all([writer.closed, reader.closed]);
  expect([writer.got, reader.got]).toEqual([["1011 Internal error"], ["1011 Internal error"]]);
  expect(errors).toEqual([["storage", expect.stringContaining("database or disk is full")]]);
  failing = false;
  const next = await connect();
  next.ws.send("read");
  next.ws.send("kept");
  next.ws.send("read");
  await vi.waitFor(() => expect(next.got).toHaveLength(4));
  next.ws.close();
  await next.closed;
  expect(next.got.map((one) => one.slice(0, 9))).toEqual(["undefined", "kept", "xxxxxxxxx", "kept", "1005"]);
});
