/** One conversation with a server in memory. It runs in a page and on Node, and both must see the same. */
import { defineHandler, wantsWebSocket } from "edgewire";
import { ReconnectingWebSocket } from "edgewire/client";
import { fakeClock, memory } from "edgewire/memory";
import { defineMessages, messageClient, messageHandler } from "edgewire/messages";
import { z } from "zod";

const messages = defineMessages({
  toServer: { say: z.object({ text: z.string() }) },
  toClient: { said: z.object({ text: z.string() }), present: z.array(z.string()) },
  requests: { count: { payload: z.string(), result: z.int() } },
});

export interface Seen {
  readonly request: unknown;
  readonly moved: unknown;
  readonly refusals: readonly unknown[];
  readonly talk: readonly unknown[];
  readonly later: readonly unknown[];
  readonly reconnecting: readonly unknown[];
  readonly plain: readonly unknown[];
}

/** What a hook sees of a handshake. */
function shown(request: Request, remoteAddress: string): object {
  const copy = request.clone();
  return {
    url: request.url,
    method: request.method,
    headers: [...request.headers],
    cookie: request.headers.get("Cookie"),
    origin: request.headers.get("origin"),
    wants: wantsWebSocket(request),
    same: request.headers === request.headers,
    clone: [copy.url, [...copy.headers], copy.headers === request.headers, [...copy.clone().headers].length],
    isRequest: request instanceof Request,
    remoteAddress,
  };
}

async function handshakes(): Promise<Pick<Seen, "request" | "moved" | "refusals">> {
  const seen: unknown[] = [];
  const handler = defineHandler({
    origins: ["https://app.example"],
    protocols: ["a"],
    trustProxy: ["10.0.0.0/8"],
    upgrade(request, { remoteAddress }) {
      seen.push(shown(request, remoteAddress));
      return { headers: { "x-seen": "yes" } };
    },
  });
  const server = memory(handler);
  const headers = { cookie: "session=1; theme=dark", origin: "https://app.example", "x-own": "1", authorization: "Bearer token" };
  const client = await server.connect("wss://chat.example/room?x=1", { headers, protocols: ["a", "b"] });
  seen.push([client.protocol, [...client.headers], client.url]);
  await server.connect("ws://internal/", {
    headers: { ...headers, "x-forwarded-host": "public.example", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" },
    remoteAddress: "10.0.0.1",
  });
  const refusals: unknown[] = [];
  for (const wrong of [{ origin: "https://evil.example" }, { upgrade: "h2c" }, { "sec-websocket-version": "8" }, { host: "a b" }]) {
    const refused = await server
      .connect("ws://chat.example/", { headers: wrong as Record<string, string> })
      .catch((error: unknown) => error);
    const { response } = refused as { response?: Response };
    refusals.push([response?.status, await response?.text()]);
  }
  return { request: seen.slice(0, 2), moved: seen[2], refusals };
}

async function rooms(): Promise<Pick<Seen, "talk" | "later">> {
  const clock = fakeClock(Date.UTC(2030, 0, 1));
  const chat = defineHandler(
    messageHandler(messages, {
      history: { chat: { messages: 10, seconds: 3600 } },
      upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) }),
      open(connection) {
        connection.subscribe("chat", { history: true });
        connection.present(connection.remoteAddress);
      },
      messages: { say: ({ room }, { text }) => void messages.publish(room, "chat", "said", { text }) },
      requests: {
        async count({ room }, text) {
          const count = await room.storage.update("count", (before: number | undefined) => (before ?? 0) + text.length);
          room.setAlarm(clock.now() + 60_000);
          return count ?? 0;
        },
      },
      presence: (room) =>
        void messages.broadcast(
          room,
          "present",
          room
            .presence()
            .map(({ id }) => id)
            .sort(),
        ),
      alarm: (room) => void messages.publish(room, "chat", "said", { text: "time is up" }),
      calls: { length: (_, text: string) => text.length },
    }),
  );
  const server = memory(chat, { clock });
  const talk: unknown[] = [];
  const join = async (name: string) => {
    const client = messageClient(
      messages,
      await server.connect("ws://localhost/tea", { protocols: messages.protocols, remoteAddress: name }),
    );
    client.on("said", ({ text }) => talk.push(`${name} hears ${text}`));
    client.on("present", (who) => talk.push(`${name} sees ${who}`));
    await server.settled();
    return client;
  };
  const ada = await join("ada");
  ada.send("say", { text: "hello" });
  await server.settled();
  const grace = await join("grace");
  talk.push(await grace.request("count", "four"));
  await server.hibernate();
  talk.push(await ada.request("count", "three"), await server.room("tea").call("length", "words"));
  const later: unknown[] = [
    ...(await server.room("tea").presence()).map(({ id }) => id),
    await server.room("tea").count(),
    await server.roomNames(),
  ];
  await clock.advance(60_000);
  later.push(talk.splice(talk.length - 2));
  await clock.advance(3_600_000);
  later.push((await server.room("tea").history("chat")) as unknown);
  const heard = [...talk];
  await server.close();
  return {
    talk: heard,
    later: JSON.parse(JSON.stringify(later, (key, value: unknown) => (key === "position" ? "…" : value))) as unknown[],
  };
}

async function reconnecting(): Promise<readonly unknown[]> {
  let refuse = 1;
  const server = memory(
    defineHandler({
      upgrade: () => (refuse-- > 0 ? new Response("not yet", { status: 503 }) : undefined),
      message: (connection, data) => void (data === "bye" ? connection.close(1000, "bye") : connection.send(data)),
    }),
  );
  const log: unknown[] = [];
  const socket = new ReconnectingWebSocket("ws://localhost/", [], { WebSocket: server.WebSocket, firstDelay: 1 });
  const closed = new Promise((resolve) => (socket.onclose = resolve));
  for (const type of ["open", "retry", "message", "close"] as const) socket.addEventListener(type, () => log.push(type));
  await socket.opened;
  socket.send("hello");
  await server.settled();
  socket.send("bye");
  await closed;
  return log;
}

/** The client alone: events, bytes, and what it throws. */
async function plain(): Promise<readonly unknown[]> {
  const server = memory(defineHandler({ message: (connection, data) => void connection.send(data) }));
  const socket = new server.WebSocket("/echo");
  const log: unknown[] = [socket.url, socket.readyState, socket.binaryType];
  socket.onopen = () => socket.send(new Uint8Array([1, 2]));
  socket.onmessage = async ({ data }) => {
    log.push(data instanceof Blob, await (data as Blob).text());
    socket.close(4000, "done");
  };
  await new Promise((resolve) =>
    socket.addEventListener("close", (event) => resolve(log.push(event.code, event.reason, event instanceof CloseEvent))),
  );
  try {
    socket.close(1001);
  } catch (error) {
    log.push((error as Error).name, error instanceof DOMException);
  }
  return log;
}

export async function scenario(): Promise<Seen> {
  return { ...(await handshakes()), ...(await rooms()), reconnecting: await reconnecting(), plain: await plain() };
}

Object.assign(globalThis, { scenario });
