/** messageClient over a client that was closed and is reopened. */
import { ReconnectingWebSocket } from "edgewire/client";
import { memory } from "edgewire/memory";
import { defineMessages, messageClient, messageHandler } from "edgewire/messages";
import { defineHandler } from "edgewire";
import { expect, test } from "vitest";
import { z } from "zod";

const messages = defineMessages({
  toClient: { hello: z.string() },
  requests: { ask: { payload: z.string(), result: z.string() } },
});

test("reconnect() after close(): what was pending was rejected, and everything works again", async () => {
  const server = memory(
    defineHandler(
      messageHandler(messages, {
        open: (connection) => void messages.send(connection, "hello", connection.id),
        requests: { ask: (_, what) => (what === "nothing" ? new Promise<string>(() => {}) : what) },
      }),
    ),
  );
  const socket = new ReconnectingWebSocket("ws://localhost/", messages.protocols, { WebSocket: server.WebSocket, heartbeat: 0 });
  const client = messageClient(messages, socket);
  const heard: string[] = [];
  client.on("hello", (id) => heard.push(id));
  await socket.opened;
  expect(await client.request("ask", "first")).toBe("first");
  const pending = client.request("ask", "nothing");
  socket.close();
  await expect(pending).rejects.toMatchObject({ code: "closed" });
  socket.reconnect();
  expect(await client.request("ask", "second")).toBe("second");
  // Open: a changed token, say.
  socket.reconnect();
  await socket.opened;
  expect(await client.request("ask", "third")).toBe("third");
  expect(new Set(heard).size).toBe(3);
  socket.close();
});
