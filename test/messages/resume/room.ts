/** A room whose log keeps 40 numbers: whoever is away for longer has a gap. */
import { defineHandler } from "edgewire";
import { messageHandler } from "edgewire/messages";
import { messages, packed } from "./definition.ts";

function numbers({ positioned, publish, presence, ...defined }: typeof messages) {
  const people = presence("people");
  return defineHandler(
    messageHandler(
      { ...defined, positioned, publish, presence },
      {
        binding: "ROOM",
        origins: "*",
        history: { log: { messages: 40, encode: positioned }, empty: { encode: positioned } },
        upgrade(request) {
          const { pathname, searchParams } = new URL(request.url);
          return {
            room: pathname.slice(1) || "lobby",
            state: { member: searchParams.get("member") ?? "", isLate: searchParams.has("late") },
          };
        },
        open(connection) {
          const { member, isLate } = connection.state;
          if (member !== "") connection.present(member, { mood: "new" });
          people.subscribe(connection);
          connection.subscribe("empty", { history: true });
          if (!isLate) connection.subscribe("log", { history: true });
        },
        presence: people,
        messages: {
          add(connection, count) {
            const { room } = connection;
            const last = Number(room.history("log").position.split(".")[1]);
            for (let number = last + 1; number <= last + count; number++) publish(room, "log", "number", { number, of: room.name });
          },
          join: (connection) => void connection.subscribe("log", { history: true }),
          mood: (connection, mood) => connection.present(connection.state.member, { mood }),
        },
      },
    ),
  );
}

export const handler = numbers(messages);
export const packedHandler = numbers(packed);
