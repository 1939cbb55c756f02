/** Typed messages over a socket with delivery: what a cut, a crash and a forgotten session do to what is under way. */
import { afterEach, expect, expectTypeOf, test, vi } from "vitest";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { z } from "zod";
import { useMessage, usePresence, useRequest, useStream } from "../../adapters/react/index.ts";
import type { RequestState } from "../../adapters/react/index.ts";
import type { DeliverySocket } from "../../src/delivery/client/index.ts";
import { defineMessages, messageClient, messageHandler, MessageError, presence } from "../../src/messages/index.ts";
import type { MessageClient } from "../../src/messages/index.ts";
import { SimulatedLog } from "./log.ts";
import { Place, socketOf, watch } from "./place.ts";
import type { Served } from "./place.ts";

const messages = defineMessages({
  toServer: { say: z.string() },
  toClient: { said: z.string(), confirm: { payload: z.string(), result: z.boolean() } },
  requests: {
    hold: { payload: z.string(), result: z.string() },
    count: { payload: z.undefined(), item: z.number() },
  },
  presence: presence(z.object({ name: z.string() })),
});

/** Requests whose hooks wait, by payload. */
const held = new Map<string, (result: string) => void>();
const ran: string[] = [];
/** How far each stream has counted, and what waits for a stream to go on. */
const counted: number[] = [];

const handler = messageHandler(messages, {
  messages: { say: (_connection, text) => void ran.push(text) },
  requests: {
    hold(_connection, text) {
      ran.push(text);
      return new Promise<string>((resolve) => held.set(text, resolve));
    },
    async *count() {
      for (let number = 1; ; number++) {
        counted.push(number);
        yield await Promise.resolve(number);
      }
    },
  },
});

interface Meeting {
  readonly place: Place;
  readonly socket: DeliverySocket;
  readonly client: MessageClient<typeof messages, DeliverySocket>;
  readonly got: unknown[];
  readonly events: string[];
  readonly frames: () => readonly { readonly type: string; readonly id?: number }[];
}

let sockets: DeliverySocket[] = [];

afterEach(() => {
  for (const socket of sockets) socket.close();
  sockets = [];
  held.clear();
  ran.length = counted.length = 0;
});

async function meet(place = new Place(), options: Parameters<typeof socketOf>[2] = {}): Promise<Meeting> {
  /** By session, of the current life: the handler has forgotten the others. */
  let connections = new Map<Served, object>();
  let life = 0;
  place.message = (served, data) => {
    place.got.push(data);
    if (place.life !== life) connections = new Map();
    const mine = (life = place.life);
    const connection = connections.get(served) ?? {
      protocol: "edgewire.json.1",
      phase: "open",
      signal: new AbortController().signal,
      send(sent: string) {
        if (place.life !== mine) return "closed";
        place.send(sent, served);
        return "sent";
      },
    };
    connections.set(served, connection);
    void handler.message?.(connection as never, data);
  };
  const { socket, got, events } = watch(socketOf(place, messages.protocols, options));
  sockets.push(socket);
  const client = messageClient(messages, socket);
  await socket.opened;
  return {
    place,
    socket,
    client,
    got,
    events,
    frames: () => place.got.map((data) => JSON.parse(String(data)) as { type: string; id?: number }),
  };
}

async function cut({ place, socket }: Meeting): Promise<void> {
  place.current.lose();
  await vi.waitFor(() => expect(socket.status).toBe("waiting"), { interval: 0 });
  await socket.opened;
}

/** What a request has come to. */
function watched(promise: Promise<unknown>): { readonly outcome: unknown } {
  const state = { outcome: undefined as unknown };
  promise.then(
    (value) => (state.outcome = value),
    (error: unknown) => (state.outcome = error instanceof MessageError ? error.code : error),
  );
  return state;
}

test("a request survives cuts: its hook runs once, and its result arrives on another connection", async () => {
  const meeting = await meet();
  const { place, socket, client } = meeting;
  const first = watched(client.request("hold", "first"));
  await vi.waitFor(() => expect(held.has("first")).toBe(true));
  await cut(meeting);
  place.current.lose();
  held.get("first")?.("done");
  // Sent while there is no connection.
  const second = watched(client.request("hold", "second"));
  await vi.waitFor(() => expect(first.outcome).toBe("done"));
  await vi.waitFor(() => expect(held.has("second")).toBe(true));
  held.get("second")?.("done too");
  await vi.waitFor(() => expect(second.outcome).toBe("done too"));
  expect([ran, socket.protocol]).toEqual([["first", "second"], "edgewire.json.1"]);
});

test("no positions are offered besides: delivery has its own", async () => {
  const meeting = await meet();
  meeting.place.send(JSON.stringify({ type: "position", topic: "chat", position: "e.1.t" }));
  meeting.place.send(JSON.stringify({ type: "message", name: "said", payload: "hello", topic: "chat", position: "e.2.t", time: 1 }));
  await cut(meeting);
  expect(meeting.place.offered.at(-1)?.filter((name) => name.startsWith("edgewire.positions"))).toEqual([]);
});

test("a stream goes on where it was, with its credit", async () => {
  const meeting = await meet();
  const stream = meeting.client.stream("count", undefined, { window: 4 });
  const got: number[] = [];
  for await (const number of stream) {
    got.push(number);
    if (number % 5 === 0) await cut(meeting);
    if (number === 20) break;
  }
  expect(got).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  await vi.waitFor(() => expect(meeting.frames().at(-1)).toMatchObject({ type: "cancel" }));
  expect(Math.max(...counted)).toBeLessThanOrEqual(24);
});

test("memory that was lost rejects what was acknowledged with `interrupted`; what was not is sent again, and answered", async () => {
  const { place, client, got } = await meet();
  const acknowledged = watched(client.request("hold", "acknowledged"));
  const stream = client.stream("count", undefined, { window: 2 });
  expect(await stream.next()).toEqual({ done: false, value: 1 });
  // The first item was taken, so there is credit for another.
  await vi.waitFor(() => expect(got).toHaveLength(3));
  await vi.waitFor(() => expect(held.has("acknowledged")).toBe(true));
  place.acknowledges = false;
  const under = watched(client.request("hold", "under way"));
  await vi.waitFor(() => expect(ran).toEqual(["acknowledged", "under way"]));
  place.acknowledges = true;
  place.crash();
  await vi.waitFor(() => expect(acknowledged.outcome).toBe("interrupted"));
  // What had come before is given on.
  for (const value of [2, 3]) expect(await stream.next()).toEqual({ done: false, value });
  await expect(stream.next()).rejects.toMatchObject({ code: "interrupted" });
  await vi.waitFor(() => expect(ran).toEqual(["acknowledged", "under way", "under way"]));
  held.get("under way")?.("done");
  await vi.waitFor(() => expect(under.outcome).toBe("done"));
});

test("a stream that had begun before it was acknowledged does not begin anew: it is interrupted, and cancelled", async () => {
  const { place, client, got, frames } = await meet();
  place.acknowledges = false;
  const stream = client.stream("count", undefined, { window: 2 });
  expect(await stream.next()).toEqual({ done: false, value: 1 });
  await vi.waitFor(() => expect(got).toHaveLength(3));
  place.acknowledges = true;
  place.crash();
  for (const value of [2, 3]) expect(await stream.next()).toEqual({ done: false, value });
  await expect(stream.next()).rejects.toMatchObject({ code: "interrupted" });
  await vi.waitFor(() => expect(frames().at(-1)).toMatchObject({ type: "cancel" }));
});

test("a session that was forgotten rejects what is acknowledged or uncertain with `interrupted`, and sends the rest", async () => {
  const { place, client, events } = await meet();
  const acknowledged = watched(client.request("hold", "acknowledged"));
  await vi.waitFor(() => expect(held.has("acknowledged")).toBe(true));
  place.acknowledges = false;
  const uncertain = watched(client.request("hold", "uncertain"));
  await vi.waitFor(() => expect(held.has("uncertain")).toBe(true));
  place.acknowledges = true;
  place.restart();
  const unsent = watched(client.request("hold", "unsent"));
  await vi.waitFor(() => expect([acknowledged.outcome, uncertain.outcome]).toEqual(["interrupted", "interrupted"]));
  await vi.waitFor(() => expect(held.has("unsent")).toBe(true));
  held.get("unsent")?.("done");
  await vi.waitFor(() => expect(unsent.outcome).toBe("done"));
  expect(events.slice(1)).toEqual(["disconnect", "open", expect.stringContaining("uncertain {") as string, "interrupted false"]);
});

test("a final close rejects everything as over a plain socket", async () => {
  const { place, socket, client } = await meet();
  place.acknowledges = false;
  const sent = watched(client.request("hold", "sent"));
  await vi.waitFor(() => expect(held.has("sent")).toBe(true));
  socket.close();
  await vi.waitFor(() => expect(sent.outcome).toBe("closed"));
  expect(watched(client.request("hold", "late"))).toBeDefined();
  await expect(client.request("hold", "late")).rejects.toMatchObject({ code: "closed" });
});

test("a socket that keeps no more refuses the request at once", async () => {
  const { place, client } = await meet(new Place(), { keepMessages: 1 });
  place.acknowledges = false;
  client.send("say", "kept");
  await expect(client.request("hold", "no room")).rejects.toMatchObject({ code: "not-sent" });
});

test("an answer to what the server asks is sent once, whatever was cut meanwhile; memory that was lost waits for none", async () => {
  const meeting = await meet();
  const { place, client, frames } = meeting;
  const answers: ((value: boolean) => void)[] = [];
  const signals: AbortSignal[] = [];
  client.answer("confirm", (_payload, { signal }) => {
    signals.push(signal);
    return new Promise<boolean>((resolve) => answers.push(resolve));
  });
  place.send(JSON.stringify({ type: "request", id: 7, name: "confirm", payload: "sure?" }));
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  await cut(meeting);
  place.current.lose();
  answers[0]?.(true);
  await vi.waitFor(() => expect(frames()).toEqual([{ type: "result", id: 7, payload: true }]));
  await cut(meeting);
  place.send(JSON.stringify({ type: "request", id: 8, name: "confirm", payload: "sure?" }));
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  place.crash();
  await vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]));
  answers[1]?.(true);
  client.send("say", "after");
  await vi.waitFor(() => expect(ran).toEqual(["after"]));
  expect(frames()).toHaveLength(2);
});

const member = (id: string): object => ({ id, state: { name: id }, connections: 1 });
const frame = (fields: object): string => JSON.stringify({ type: "presence", topic: "people", ...fields });

test("presence of a topic with a history stays current over a cut, and misses no change; a gap in it makes it wait for all members", async () => {
  const place = new Place();
  const people = new SimulatedLog("p1");
  place.open = (served) => {
    served.session.begin({ topic: "people", log: people, number: 2 }, people.position);
    place.send(frame({ members: [member("ada")] }), served);
  };
  const meeting = await meet(place);
  const list = meeting.client.presence("people");
  await vi.waitFor(() => expect([...list.members.keys()]).toEqual(["ada"]));
  place.current.lose();
  place.publish(frame({ joined: [member("bob")] }), people, "people");
  await vi.waitFor(() => expect([...list.members.keys()]).toEqual(["ada", "bob"]));
  expect(list.current).toBe(true);
  place.current.lose();
  for (const id of ["cyd", "dan"]) place.publish(frame({ joined: [member(id)] }), people, "people");
  people.trim(2);
  await vi.waitFor(() => expect(list.current).toBe(false));
  place.send(frame({ members: [member("ada"), member("dan")] }));
  await vi.waitFor(() => expect([[...list.members.keys()], list.current]).toEqual([["ada", "dan"], true]));
  // A new session sends all members anew.
  place.restart();
  await vi.waitFor(() => expect([...list.members.keys()]).toEqual(["ada"]));
});

test("presence of a topic without a history waits for all members after a cut, as over a plain socket", async () => {
  const place = new Place();
  place.open = (served) => place.send(frame({ members: [member("ada")] }), served);
  const meeting = await meet(place);
  const list = meeting.client.presence("people");
  await vi.waitFor(() => expect(list.current).toBe(true));
  await cut(meeting);
  expect([[...list.members.keys()], list.current]).toEqual([["ada"], false]);
  place.send(frame({ members: [member("bob")] }));
  await vi.waitFor(() => expect([[...list.members.keys()], list.current]).toEqual([["bob"], true]));
});

test("a gap of a topic is the client's too; messages of a log that counts anew are not taken for old ones", async () => {
  const meeting = await meet();
  const { place, client } = meeting;
  const gaps: unknown[] = [];
  const said: string[] = [];
  client.onGap((gap) => gaps.push(gap));
  client.on("said", (text) => said.push(text));
  const text = (payload: string, position: string): string =>
    JSON.stringify({ type: "message", name: "said", payload, topic: "chat", position, time: 1 });
  place.publish(text("one", "e1.5.a"));
  await vi.waitFor(() => expect(said).toEqual(["one"]));
  place.current.lose();
  for (const payload of ["two", "three"]) place.publish(text(payload, "e1.3.b"));
  place.log.trim(2);
  await vi.waitFor(() => expect(said).toEqual(["one", "three"]));
  expect(gaps).toEqual([{ topic: "chat", position: "e1.2.t1" }]);
});

test("after a reload ids are others: a late result for the old page is none for the new one", async () => {
  const first = await meet();
  const second = await meet();
  void watched(first.client.request("hold", "a"));
  void watched(second.client.request("hold", "b"));
  await vi.waitFor(() => expect(ran).toEqual(["a", "b"]));
  expect(first.frames()[0]?.id).not.toBe(second.frames()[0]?.id);
});

test("the hooks of edgewire/react take a client over it, by type and when they run", async () => {
  type Client = MessageClient<typeof messages, DeliverySocket>;
  const meeting = await meet();
  const states: RequestState<(typeof messages)["requests"]["hold"]>[] = [];
  function Chat({ client }: { readonly client: Client }): string {
    const hold = useRequest(client, "hold");
    expectTypeOf(hold.data).toEqualTypeOf<string | undefined>();
    expectTypeOf(useStream(client, "count").items).toEqualTypeOf<readonly number[]>();
    expectTypeOf(usePresence(client, "people").members[0]?.state).toEqualTypeOf<{ name: string } | undefined>();
    useMessage(client, "said", (text) => expectTypeOf(text).toEqualTypeOf<string>());
    states.push(hold);
    return "rendered";
  }
  expect(renderToStaticMarkup(createElement(Chat, { client: meeting.client }))).toBe("rendered");
  const result = states[0]?.run("asked by a component");
  await vi.waitFor(() => expect(held.has("asked by a component")).toBe(true));
  await cut(meeting);
  held.get("asked by a component")?.("done");
  expect(await result).toBe("done");
});

test("whatever accepts a WebSocket accepts the socket", () => {
  const accepted: (socket: DeliverySocket) => WebSocket = (socket) => socket;
  expect(accepted).toBeTypeOf("function");
});
