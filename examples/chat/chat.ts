/**
 * The chat: one handler for Cloudflare, Deno, Bun and Node. messages.ts says what travels.
 *
 * A room is Edgewire's room (on Cloudflare a Durable Object of its own), and everyone in it subscribes to the topic "chat".
 * A person is a connection: names are for people, ids tell them apart, so two may share a name. Who is online is never kept
 * here: it is read from the room's open connections, and so stays right when the object hibernates and comes back.
 */
import { defineHandler } from "edgewire";
import type { Connection } from "edgewire";
import { limits, mediaType, problemWith, tidy } from "./messages.ts";
import type { FromClient, FromServer, Person } from "./messages.ts";

type Chatter = Connection<{ name: string }>;

export const chat = defineHandler<{ name: string }>({
  binding: "ROOM",

  upgrade(request, { params }) {
    // `/ws/:room?name=` in the Hono app, `?room=&name=` where the handler is served alone.
    const query = new URL(request.url).searchParams;
    const room = tidy(params["room"] ?? query.get("room") ?? "");
    const name = tidy(query.get("name") ?? "");
    const problem = problemWith(name, room);
    return problem === undefined ? { room, state: { name } } : new Response(problem, { status: 400 });
  },

  open(connection) {
    connection.subscribe("chat");
    tell(connection, { type: "welcome", you: connection.id, people: Array.from(connection.peers(), person) });
    tellOthers(connection, { type: "join", who: person(connection) });
  },

  message(connection, data) {
    const problem = typeof data === "string" ? relayText(connection, data) : relayImage(connection, data);
    tell(connection, problem === undefined ? { type: "sent" } : { type: "refused", reason: problem });
  },

  close(connection) {
    tellOthers(connection, { type: "leave", who: person(connection) });
  },
});

/** Passes a message on, or says why not. */
function relayText(connection: Chatter, data: string): string | undefined {
  const text = textOf(data);
  if (text === undefined) return 'Send {"type":"message","text":"…"} or the bytes of an image.';
  if (text.trim() === "") return "The message is empty.";
  if ([...text].length > limits.text) return `The message is too long: ${limits.text} characters is the most.`;
  tellOthers(connection, { type: "message", from: person(connection), text });
  return undefined;
}

function relayImage(connection: Chatter, bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const media = mediaType(bytes);
  if (media === undefined) return "This is not a PNG, JPEG, GIF or WebP image.";
  tellOthers(connection, { type: "image", from: person(connection), media, bytes: bytes.byteLength });
  connection.publish("chat", bytes);
  return undefined;
}

function textOf(data: string): string | undefined {
  try {
    const message = JSON.parse(data) as Partial<FromClient> | null;
    return message?.type === "message" && typeof message.text === "string" ? message.text : undefined;
  } catch {
    return undefined;
  }
}

function person(connection: Chatter): Person {
  return { id: connection.id, name: connection.state.name };
}

function tell(connection: Chatter, message: FromServer): void {
  connection.send(JSON.stringify(message));
}

function tellOthers(connection: Chatter, message: FromServer): void {
  connection.publish("chat", JSON.stringify(message));
}
