/** Presence to a client that reads slowly, of a handler that keeps only the newest of what waits to be sent. */
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import { defineMessages, messageClient, messageHandler, presence } from "edgewire/messages";
import { expect, test } from "vitest";
import { z } from "zod";

test("every change arrives, though none could be sent when it was made", async () => {
  const messages = defineMessages({ toServer: { feel: z.string() }, presence: presence(z.string()) });
  const people = messages.presence("people");
  const handler = messageHandler(messages, {
    slowConsumer: "coalesce",
    highWaterMark: 1,
    open: people.subscribe,
    presence: people,
    messages: { feel: (connection, mood) => connection.present(new URL(connection.url).pathname, mood) },
  });
  const server = memory(defineHandler(handler));
  const enter = async (name: string) => {
    const socket = await server.connect(`ws://localhost/${name}`);
    return { socket, client: messageClient(messages, socket) };
  };
  const [slow, ada, grace, alan] = [await enter("slow"), await enter("ada"), await enter("grace"), await enter("alan")];
  const list = slow.client.presence("people");
  for (const one of [slow, ada, grace]) one.client.send("feel", "fine");
  await server.settled();
  expect(list.members.size).toBe(3);

  slow.socket.pause();
  for (const mood of ["curious", "busy"]) for (const one of [ada, grace, slow]) one.client.send("feel", mood);
  alan.client.send("feel", "new");
  ada.client.send("feel", "done");
  await grace.socket.close();
  await server.settled();
  expect(list.members.size).toBe(3);
  slow.socket.resume();
  await server.settled();
  expect(Array.from(list, ({ id, state }) => [id, state]).toSorted()).toEqual([
    ["/ada", "done"],
    ["/alan", "new"],
    ["/slow", "busy"],
  ]);
});
