/** What is sent to clients with delivery counts as to any other: once for each message that is handed over, by its own size. */
import { expect, test } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import { delivery } from "../../src/delivery/server/index.ts";
import { DeliverySocket } from "../../src/delivery/client/index.ts";
import { defineHandler } from "../../src/index.ts";

test("live entries, entries that are read on, messages at most once, and what is for one client", async () => {
  const sizes: number[] = [];
  const handler = defineHandler({
    delivery: delivery(),
    history: { chat: { messages: 10 } },
    observe: { sent: (_, size) => void sizes.push(size) },
    open(connection) {
      connection.subscribe("chat", { history: true });
      connection.subscribe("once");
    },
    message(connection, data) {
      if (data === "alone") connection.send("four");
      else if (data === "once") connection.publish("once", "at most");
      else connection.publish("chat", data);
    },
  });
  const server = memory(handler);
  const connect = async (): Promise<DeliverySocket> => {
    const socket = new DeliverySocket("ws://localhost/", [], { WebSocket: server.WebSocket });
    await socket.opened;
    return socket;
  };
  const said = async (socket: DeliverySocket, text: string): Promise<number[]> => {
    await socket.deliver(text);
    await server.settled();
    return sizes.splice(0);
  };
  const ada = await connect();
  const bob = await connect();
  expect(await said(ada, "hello")).toEqual([5]); // Not to Ada herself.
  expect(await said(ada, "once")).toEqual([7]);
  expect(await said(ada, "alone")).toEqual([4]);
  await connect();
  await server.settled();
  expect(sizes.splice(0)).toEqual([5]); // Read from the history.
  expect(server.stats().sent).toEqual({ messages: 4, bytes: 21 });
  ada.close();
  bob.close();
  await server.close();
});
