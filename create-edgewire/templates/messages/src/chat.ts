import { defineHandler } from "edgewire";
import { messageHandler } from "edgewire/messages";
import { messages } from "../public/messages.js";

export const chat = defineHandler(
  messageHandler(messages, {
    binding: "ROOM", //: cloudflare
    upgrade(request) {
      const { pathname, searchParams } = new URL(request.url);
      const room = /^\/ws\/([\w-]{1,40})$/.exec(pathname)?.[1];
      if (room === undefined) return new Response("No such room", { status: 404 });
      return { room, state: { name: searchParams.get("name")?.slice(0, 40) || "someone" } };
    },
    open(connection) {
      connection.subscribe("chat");
    },
    messages: {
      say({ room, state }, { text }) {
        messages.publish(room, "chat", "said", { from: state.name, text }); // to everyone in the room
      },
    },
    requests: {
      people: ({ room }) => Array.from(room.peers(), ({ state }) => state.name),
    },
  }),
);
