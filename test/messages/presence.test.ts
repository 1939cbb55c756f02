/** The client's list of who is in the room, against a socket that the test plays; and the server's topic, over memory. */
import { beforeEach, describe, expect, test } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { memory } from "../../adapters/memory/index.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { defineMessages, messageClient, messageHandler, presence } from "../../src/messages/index.ts";
import type { MessageError, PresenceList } from "../../src/messages/index.ts";
import { FakeSocket } from "./fake-socket.ts";

const messages = defineMessages({ toClient: { said: z.string() }, presence: presence(z.object({ mood: z.string().default("calm") })) });

let socket: FakeSocket;
beforeEach(() => {
  socket = new FakeSocket();
});

const receive = (value: object): void => socket.receives(JSON.stringify({ type: "presence", topic: "people", ...value }));
const member = (id: string, mood: string, connections = 1) => ({ id, state: { mood }, connections });

function following(defined: Parameters<typeof messageClient>[0] = messages) {
  const client = messageClient(defined as typeof messages, socket);
  const people: PresenceList<{ mood: string }> = client.presence("people");
  const told: string[] = [];
  const errors: MessageError[] = [];
  for (const event of ["join", "leave", "update"] as const) {
    people.on(event, ({ id, state, connections }) => told.push(`${event} ${id} ${state.mood} ${connections}`));
  }
  people.on("change", () => told.push("change"));
  client.onError((error) => errors.push(error));
  return { client, people, told, errors, shown: () => Array.from(people, ({ id, state }) => `${id} ${state.mood}`) };
}

describe("the client's list", () => {
  test("is empty and not current, then what the server says", () => {
    const { people, told, shown } = following();
    expect([people.topic, people.current, people.members.size]).toEqual(["people", false, 0]);
    receive({ members: [member("ada", "fine"), member("grace", "busy", 2)] });
    expect([people.current, shown()]).toEqual([true, ["ada fine", "grace busy"]]);
    expect(people.members.get("grace")).toEqual({ id: "grace", state: { mood: "busy" }, connections: 2 });
    expect(told).toEqual(["join ada fine 1", "join grace busy 2", "change"]);
  });

  test("follows who joins, leaves and changes; the members' states are their schema's output", () => {
    const { people, told, shown } = following();
    receive({ members: [member("ada", "fine")] });
    told.length = 0;
    receive({ joined: [{ id: "alan", state: {}, connections: 1 }] });
    receive({ updated: [member("ada", "tired", 3)], left: ["alan"] });
    expect(told).toEqual(["join alan calm 1", "change", "leave alan calm 0", "update ada tired 3", "change"]);
    expect(shown()).toEqual(["ada tired"]);
    expect(people.current).toBe(true);
  });

  test("is the same Map until a member has changed", () => {
    const { people, told } = following();
    receive({ members: [member("ada", "fine"), member("alan", "calm")] });
    const before = people.members;
    const alan = before.get("alan");
    told.length = 0;
    receive({ updated: [member("ada", "fine")], left: ["nobody"] });
    receive({ members: [member("alan", "calm"), member("ada", "fine")] });
    expect([people.members === before, told]).toEqual([true, []]);
    receive({ updated: [member("ada", "tired")] });
    expect(people.members).not.toBe(before);
    expect(before.get("ada")?.state.mood).toBe("fine");
    expect(people.members.get("alan")).toBe(alan);
  });

  test("stays while disconnected, and after a reconnect events are the difference", () => {
    const { people, told, shown } = following();
    receive({ members: [member("ada", "fine"), member("alan", "calm"), member("grace", "busy")] });
    told.length = 0;
    socket.says("disconnect");
    expect([people.current, shown().length, told]).toEqual([false, 3, ["change"]]);
    socket.says("close");
    socket.says("open");
    // A change that belongs to no list.
    receive({ joined: [member("eve", "odd")], left: ["ada"] });
    expect([people.current, shown().length, told]).toEqual([false, 3, ["change"]]);
    told.length = 0;
    receive({ members: [member("grace", "busy"), member("ada", "tired"), member("kay", "new")] });
    expect(told).toEqual(["leave alan calm 0", "update ada tired 1", "join kay new 1", "change"]);
    expect(people.current).toBe(true);
    told.length = 0;
    socket.says("disconnect");
    receive({ members: [member("grace", "busy"), member("ada", "tired"), member("kay", "new")] });
    expect(told).toEqual(["change", "change"]);
  });

  test("is kept before anybody asks for it, and is the same object for the same topic", () => {
    const client = messageClient(messages, socket);
    receive({ members: [member("ada", "fine")] });
    const people = client.presence("people");
    expect(people.members.size).toBe(1);
    expect(client.presence("people")).toBe(people);
    expect(client.presence("others")).not.toBe(people);
  });

  test("a state that the schema refuses is an error, and its member is not there", () => {
    const { told, errors, shown } = following();
    receive({ members: [member("ada", "fine"), { id: "eve", state: { mood: 7 }, connections: 1 }] });
    receive({ updated: [{ id: "ada", state: 1, connections: 1 }] });
    expect(errors.map(({ code, about }) => `${code} ${about}`)).toEqual(["invalid-payload people", "invalid-payload people"]);
    expect([told, shown()]).toEqual([["join ada fine 1", "change", "leave ada fine 0", "change"], []]);
  });

  test("states that are checked asynchronously keep the order; what comes behind the end of its connection is not applied", async () => {
    const slowly = v.pipeAsync(
      v.object({ mood: v.string() }),
      v.checkAsync(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return true;
      }),
    );
    const { people, told } = following(defineMessages({ presence: presence(slowly) }) as never);
    receive({ members: [member("ada", "fine")] });
    receive({ left: ["ada"] });
    receive({ joined: [member("alan", "calm")] });
    expect(told).toEqual([]);
    await expect.poll(() => told).toEqual(["join ada fine 1", "change", "leave ada fine 0", "change", "join alan calm 1", "change"]);
    told.length = 0;
    receive({ joined: [member("grace", "busy")], left: ["alan"] });
    socket.says("disconnect");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([told, people.members.size, people.current]).toEqual([["change"], 1, false]);
  });

  test("a listener that throws or leaves changes nothing for the others", () => {
    const { people, told } = following();
    const off = people.on("join", () => off());
    const stop = people.on("change", () => stop());
    receive({ members: [member("ada", "fine")] });
    receive({ joined: [member("alan", "calm")] });
    expect(told).toEqual(["join ada fine 1", "change", "join alan calm 1", "change"]);
  });

  test.each<[what: string, frame: object]>([
    ["a topic that is a number", { topic: 1, members: [] }],
    ["members that are no list", { members: "ada" }],
    ["a member that is none", { members: [null] }],
    ["an id that is a number", { joined: [{ id: 1, connections: 1 }] }],
    ["an empty id", { joined: [{ id: "", connections: 1 }] }],
    ["an id that is too long", { joined: [member("a".repeat(513), "x")] }],
    ["connections that are negative", { updated: [member("ada", "x", -1)] }],
    ["connections that are no number", { updated: [{ id: "ada", state: {} }] }],
    ["left that holds members", { left: [member("ada", "x")] }],
    ["left that is a number", { left: 1 }],
  ])("a bad frame changes nothing: %s", (_, frame) => {
    const { told, errors, shown } = following();
    receive({ members: [member("ada", "fine")] });
    told.length = 0;
    receive(frame);
    expect([told, errors.map(({ code }) => code), shown()]).toEqual([[], ["bad-frame"], ["ada fine"]]);
  });

  test("a server can't fill the memory with topics that nobody asked for", () => {
    const { client, errors } = following();
    for (let index = 0; index < 200; index++) receive({ topic: `t${index}`, members: [member("ada", "fine")] });
    expect(errors.length).toBe(101);
    expect(client.presence("t0").members.size).toBe(1);
    expect(client.presence("t199").members.size).toBe(0);
    receive({ topic: "t199", members: [member("ada", "fine")] });
    expect(client.presence("t199").members.size).toBe(1);
  });

  test("what is wrong is refused by name", () => {
    const { client, people } = following();
    expect(() => client.presence("")).toThrow("presence takes a topic: a string that is not empty [EW554]");
    expect(() => client.presence(1 as never)).toThrow(TypeError);
    expect(() => people.on("joined" as "join", () => {})).toThrow('there is no event "joined"');
    const plain = messageClient(defineMessages({}), socket);
    expect(() => plain.presence("people" as never)).toThrow("presence: defineMessages needs presence: presence(schema) [EW528]");
    // And its frames are ignored.
    receive({ members: [] });
  });
});

describe("the server's topic", () => {
  test("sends all members at first and then every change, in the client's codec", async () => {
    const people = messages.presence("people");
    const seen: number[] = [];
    const server = memory(
      defineHandler(
        messageHandler(messages, {
          upgrade: (request) => ({ state: new URL(request.url).searchParams.get("name") ?? "" }),
          open(connection) {
            if (connection.state !== "") connection.present(connection.state, { mood: "new" });
            people.subscribe(connection);
          },
          // The handler's own hook goes on.
          presence(room, diff) {
            seen.push(diff.joined.length - diff.left.length);
            people(room, diff);
          },
        }),
      ),
    );
    const watching = await server.connect("ws://localhost/");
    const next = async (): Promise<unknown> => JSON.parse(String(await watching.next()));
    expect(await next()).toEqual({ type: "presence", topic: "people", members: [] });
    const ada = await server.connect("ws://localhost/?name=ada");
    expect(await next()).toEqual({ type: "presence", topic: "people", joined: [member("ada", "new")] });
    expect(JSON.parse(String(await ada.next()))).toEqual({ type: "presence", topic: "people", members: [member("ada", "new")] });
    const tab = await server.connect("ws://localhost/?name=ada");
    expect(await next()).toEqual({ type: "presence", topic: "people", updated: [member("ada", "new", 2)] });
    await server.hibernate();
    await tab.close();
    expect(await next()).toEqual({ type: "presence", topic: "people", updated: [member("ada", "new", 1)] });
    await ada.close();
    expect(await next()).toEqual({ type: "presence", topic: "people", left: ["ada"] });
    expect(seen).toEqual([1, 0, 0, -1]);
  });

  test("a state that the codec can't encode fails before anything is done", async () => {
    const people = messages.presence("people");
    const failures: string[] = [];
    const server = memory(
      defineHandler(
        messageHandler(messages, {
          open(connection) {
            connection.present("ada", { count: 1n });
            expect(() => people.subscribe(connection)).toThrow(TypeError);
            failures.push(`topics ${connection.topics.size}`);
          },
          presence: people,
          error: (error, { hook }) => void failures.push(`${hook}: ${(error as Error).name}`),
        }),
      ),
    );
    await server.connect();
    expect(failures).toEqual(["presence: TypeError", "topics 0"]);
  });

  test("with checkSent, a state that the schema refuses is not sent", async () => {
    const strict = defineMessages({ presence: presence(z.object({ mood: z.string() })), checkSent: true });
    const people = strict.presence("people");
    const room = { publish: () => expect.unreachable() };
    const diff = { joined: [{ id: "ada", state: { mood: 1 }, connections: 1 }], left: [], updated: [] };
    expect(() => people(room, diff)).toThrow("not sent: presence.mood");
  });

  test("what is wrong is refused by name", () => {
    expect(() => messages.presence("")).toThrow("messages.presence takes a topic: a string that is not empty [EW557]");
    expect(() => defineMessages({}).presence("people" as never)).toThrow(
      "presence: defineMessages needs presence: presence(schema) [EW528]",
    );
    expect(() => presence("string" as never)).toThrow("presence takes a Standard Schema (zod, valibot, arktype, …), version 1 [EW556]");
    expect(() => defineMessages({ presence: z.string() as never })).toThrow(
      "defineMessages: presence must be what presence(schema) returns [EW530]",
    );
  });
});
