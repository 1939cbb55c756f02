/** Servers in memory that share a backplane: a room spans them. What the contract says of rooms on one server is in test/columns/cluster-memory.ts. */
import { afterEach, describe, expect, test } from "vitest";
import { defineHandler, type Handler } from "edgewire";
import { BackplaneError, memoryBackplane } from "edgewire/cluster";
import { fakeClock, memory, type FakeClock, type Memory, type MemoryClient, type Refused } from "edgewire/memory";
import { Between } from "./between.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const limits = { lease: 12_000, patience: 2000, counts: 100 };

interface Scene {
  readonly clock: FakeClock;
  readonly between: Between;
  readonly backplane: ReturnType<typeof memoryBackplane>;
  readonly servers: readonly [Memory, Memory];
  readonly errors: unknown[];
}

/** Two servers of the same handler, each with one of its own, as in another process. */
function scene(hooks: Handler = {}): Scene {
  const clock = fakeClock(1_000_000);
  const between = new Between();
  const backplane = memoryBackplane({ ...limits, now: () => clock.now(), network: between });
  const errors: unknown[] = [];
  const start = (): Memory => {
    const chat = defineHandler({
      history: { chat: { messages: 5 } },
      open(connection) {
        for (const topic of new URL(connection.url).searchParams.getAll("topic")) connection.subscribe(topic);
      },
      message(connection, data) {
        connection.room.publish("chat", data);
      },
      error: (error) => void errors.push(error),
      ...hooks,
    });
    const server = memory(chat, { backplane, clock });
    stops.push(() => server.close({ deadline: 0 }));
    return server;
  };
  return { clock, between, backplane, servers: [start(), start()], errors };
}

function join(server: Memory, query = "topic=chat"): Promise<MemoryClient> {
  return server.connect(`ws://localhost/?${query}`);
}

async function take(client: MemoryClient, count: number): Promise<unknown[]> {
  const all: unknown[] = [];
  while (all.length < count) all.push(await client.next());
  return all;
}

/** The refusal of a handshake. */
function refused(joining: Promise<MemoryClient>): Promise<Refused> {
  return joining.then(
    () => Promise.reject(new Error("the handshake was accepted")),
    (error: Refused) => error,
  );
}

const roomOf = (server: Memory) => server.room("default");

describe("publishing", () => {
  test("a message reaches the subscribers of all servers, once each, in one order", async () => {
    const { servers } = scene();
    const clients = await Promise.all([join(servers[0]), join(servers[1]), join(servers[0]), join(servers[1])]);
    for (let round = 0; round < 10; round++) for (const [index, client] of clients.entries()) client.send(`${index} ${round}`);
    const [first, ...others] = await Promise.all(clients.map((client) => take(client, 40)));
    expect(new Set(first).size).toBe(40);
    for (const other of others) expect(other).toEqual(first);
    for (const index of clients.keys())
      expect(first?.filter((text) => String(text).startsWith(`${index} `))).toEqual(
        Array.from({ length: 10 }, (_, round) => `${index} ${round}`),
      );
  });

  test("from outside it resolves to how many of all servers, also on a server that nobody is on", async () => {
    const { servers, clock } = scene();
    const clients = [await join(servers[0]), await join(servers[0]), await join(servers[0], "")];
    await clock.advance(200);
    expect(await roomOf(servers[1]).publish("chat", "to two")).toBe(2);
    expect(await roomOf(servers[1]).broadcast("to three")).toBe(3);
    expect(await take(clients[0] as MemoryClient, 2)).toEqual(["to two", "to three"]);
    expect(await take(clients[2] as MemoryClient, 1)).toEqual(["to three"]);
  });

  test("a hook learns how many it goes to: its own server's now, the others' as last reported; the sender is left out everywhere", async () => {
    const counts: number[] = [];
    const { servers, clock } = scene({
      message: (connection, data) => void counts.push(connection.publish("chat", data), connection.room.broadcast("all")),
    });
    const [one, two] = [await join(servers[0]), await join(servers[1])];
    await clock.advance(200);
    one.send("hello");
    expect(await take(two, 2)).toEqual(["hello", "all"]);
    expect(await take(one, 1)).toEqual(["all"]);
    expect(counts).toEqual([1, 2]);
  });
});

describe("what is kept", () => {
  test("a topic's history is the same on every server, and a new subscriber gets it without a gap", async () => {
    const { servers } = scene({
      message: (connection, data) =>
        void (data === "all" ? connection.subscribe("chat", { history: true }) : connection.room.publish("chat", data)),
    });
    const writer = await join(servers[0], "");
    for (const text of ["1", "2", "3", "4", "5", "6"]) writer.send(text);
    await servers[0].settled();
    const [here, there] = await Promise.all(servers.map((server) => roomOf(server).history("chat")));
    expect(here).toEqual(there);
    expect(here?.entries.map(({ data }) => data)).toEqual(["2", "3", "4", "5", "6"]);
    expect(here?.complete).toBe(false);
    const reader = await join(servers[1], "");
    reader.send("all");
    await servers[1].settled();
    writer.send("7");
    expect(await take(reader, 6)).toEqual(["2", "3", "4", "5", "6", "7"]);
    const rest = await roomOf(servers[1]).history("chat", { after: here?.entries[3]?.position as string });
    expect([rest.entries.map(({ data }) => data), rest.complete]).toEqual([["6", "7"], true]);
  });

  test("a history that is deleted on one server is gone on the other, and its positions are unknown", async () => {
    const { servers } = scene();
    await roomOf(servers[0]).publish("chat", "1");
    const { position } = await roomOf(servers[1]).history("chat");
    expect(await roomOf(servers[1]).deleteHistory("chat")).toBe(true);
    expect(await roomOf(servers[0]).history("chat", { after: position })).toMatchObject({ entries: [], complete: false });
    expect(await roomOf(servers[0]).deleteHistory("chat")).toBe(false);
  });

  test("`encode` makes what each server's subscribers get, live and replayed", async () => {
    const history = {
      chat: { encode: ({ data, position }: { data: unknown; position: string }) => `${position.split(".")[1]}: ${String(data)}` },
    };
    const { servers } = scene({
      history,
      open: (connection) =>
        void (connection.url.includes("replay") ? connection.subscribe("chat", { history: true }) : connection.subscribe("chat")),
    });
    const live = await join(servers[1], "");
    await roomOf(servers[0]).publish("chat", "hello");
    expect(await live.next()).toBe("1: hello");
    expect(await (await join(servers[1], "replay")).next()).toBe("1: hello");
  });
});

describe("values", () => {
  test("are the same on every server, and what depends on them is computed again if another has changed them meanwhile", async () => {
    let runs = 0;
    const { servers, backplane } = scene({
      async message({ room }, data) {
        const key = String(data);
        if (key === "both")
          await room.storage.transaction(async (values) => {
            runs++;
            const [a = 0, b = 0] = [await values.get<number>("a"), await values.get<number>("b")];
            await values.set("a", a + 1);
            await values.set("b", b - 1);
          });
        else await room.storage.update<number>(key, (count = 0) => count + 1);
      },
    });
    const clients = [await join(servers[0]), await join(servers[1])];
    for (let round = 0; round < 50; round++) for (const client of clients) for (const key of ["count", "both"]) client.send(key);
    await Promise.all(servers.map((server) => server.settled()));
    expect(runs).toBeGreaterThan(100);
    const { entries } = await backplane.kept(":default", "test").values.list({ prefix: "", limit: 10 });
    expect(entries).toEqual([
      ["a", "100"],
      ["b", "-100"],
      ["count", "100"],
    ]);
  });

  test("a backplane that is away is a BackplaneError", async () => {
    const told: unknown[] = [];
    const { servers, between, clock } = scene({
      message: ({ room }) => room.storage.get("x").catch((error: unknown) => void told.push(error)) as Promise<void>,
    });
    const client = await join(servers[0]);
    between.isSilent = true;
    client.send("get");
    await clock.advance(3000);
    expect(told).toEqual([expect.any(BackplaneError)]);
  });
});

describe("who is there", () => {
  test("counts and topics of all servers", async () => {
    const { servers, clock } = scene();
    const [one] = [await join(servers[0]), await join(servers[0], "topic=a"), await join(servers[1], "topic=a&topic=b")];
    await clock.advance(200);
    for (const server of servers) {
      expect([await roomOf(server).count(), await roomOf(server).count("a"), await roomOf(server).count("none")]).toEqual([3, 2, 0]);
      expect(new Map([...(await roomOf(server).topics())].sort())).toEqual(
        new Map([
          ["a", 2],
          ["b", 1],
          ["chat", 1],
        ]),
      );
    }
    await one.close();
    await clock.advance(200);
    expect(await roomOf(servers[1]).count()).toBe(2);
  });

  test("presence and its diffs agree on each server, which tells its own connections", async () => {
    const { servers } = scene({
      open(connection) {
        connection.subscribe("who");
        const name = new URL(connection.url).searchParams.get("name");
        if (name !== null) connection.present(name, { at: connection.id });
      },
      message: (connection, data) => void (data === "leave" ? connection.absent() : connection.present("shared", data)),
    });
    const ada = await join(servers[0], "name=ada");
    await servers[0].settled();
    const grace = await join(servers[1], "name=grace");
    await servers[1].settled();
    const names = async (server: Memory): Promise<string[]> =>
      (await roomOf(server).presence()).map(({ id, connections }) => `${id} ${connections}`).sort();
    expect(await names(servers[0])).toEqual(["ada 1", "grace 1"]);
    expect(await names(servers[1])).toEqual(["ada 1", "grace 1"]);
    ada.send("busy");
    grace.send("free");
    await Promise.all(servers.map((server) => server.settled()));
    expect(await names(servers[0])).toEqual(["shared 2"]);
    expect(await roomOf(servers[0]).presence()).toEqual(await roomOf(servers[1]).presence());
    await ada.close();
    await servers[0].settled();
    expect(await names(servers[1])).toEqual(["shared 1"]);
  });

  test("the `presence` hook runs on each server once for each change, and what it publishes is for that server's connections", async () => {
    const told: string[] = [];
    const { servers, errors } = scene({
      open(connection) {
        connection.subscribe("who");
        const name = new URL(connection.url).searchParams.get("name");
        if (name !== null) connection.present(name);
      },
      presence(room, { joined, left }) {
        const text = [...joined.map(({ id }) => `+${id}`), ...left.map(({ id }) => `-${id}`)].join();
        told.push(text);
        room.publish("who", text);
        if (text === "-grace") room.publish("chat", "kept");
      },
    });
    const watchers = [await join(servers[0], ""), await join(servers[1], "")];
    const grace = await join(servers[1], "name=grace");
    await Promise.all(watchers.map(async (watcher) => expect(await watcher.next()).toBe("+grace")));
    await grace.close();
    await Promise.all(watchers.map(async (watcher) => expect(await watcher.next()).toBe("-grace")));
    expect(told).toEqual(["+grace", "+grace", "-grace", "-grace"]);
    expect(errors.map(String)).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining('the presence hook can\'t publish to "chat", which keeps a history')),
    );
  });

  test("hooks of a room run on each server, and are told how many connections are elsewhere", async () => {
    const told: string[] = [];
    const { servers, clock } = scene({
      room: {
        open: (_room, { elsewhere }) => void told.push(`open ${elsewhere}`),
        empty: (_room, { elsewhere }) => void told.push(`empty ${elsewhere}`),
      },
    });
    const one = await join(servers[0]);
    await clock.advance(200);
    const two = await join(servers[1]);
    await clock.advance(200);
    await one.close();
    await clock.advance(200);
    await two.close();
    await clock.advance(200);
    expect(told).toEqual(["open 0", "open 1", "empty 1", "empty 0"]);
  });
});

describe("what all servers know together", () => {
  test("connections, statistics, and a close of everyone", async () => {
    const { servers, clock } = scene();
    const clients = [await join(servers[0]), await join(servers[1]), await join(servers[1])];
    await clock.advance(200);
    const room = roomOf(servers[0]);
    expect((await room.connections()).map(({ topics }) => topics)).toEqual([["chat"], ["chat"], ["chat"]]);
    clients[0]?.send("counted");
    await servers[0].settled();
    expect(await room.stats()).toMatchObject({ open: 3, opened: 3, received: { messages: 1 }, sent: { messages: 3 } });
    expect(await room.close(4001, "enough")).toBe(3);
    for (const client of clients) expect(await client.closed).toEqual({ code: 4001, reason: "enough" });
    await expect(room.close(1)).rejects.toThrow(RangeError);
  });

  test("one connection, wherever it is, from outside and in a hook", async () => {
    const results: unknown[] = [];
    const { servers, clock } = scene({
      message: (connection, data) => void results.push(connection.room.send(String(data), "from a hook")),
    });
    const [here, there] = [await join(servers[0]), await join(servers[1])];
    await clock.advance(200);
    const { id } = (await roomOf(servers[0]).connections())[1] ?? { id: "" };
    const ids = (await roomOf(servers[1]).connections()).map((one) => one.id);
    expect(ids).toContain(id);
    expect(await roomOf(servers[0]).send(id, "from outside")).toBe("sent");
    expect(await roomOf(servers[0]).send("nobody", "x")).toBe("closed");
    const texts: unknown[] = [];
    here.send(ids[0] as string);
    here.send(ids[1] as string);
    await Promise.all(servers.map((server) => server.settled()));
    texts.push(await here.next(), await there.next());
    expect(results).toEqual(["sent", "sent"]);
    expect(texts.sort()).toEqual(expect.arrayContaining(["from a hook"]));
    expect(await roomOf(servers[0]).disconnect(id, 4002)).toBe(true);
    expect(await roomOf(servers[1]).disconnect(id)).toBe(false);
    expect([here.readyState, there.readyState].sort()).toEqual([1, 3]);
  });

  test("a server that does not answer is told of", async () => {
    const { servers, between, clock } = scene();
    await join(servers[0]);
    await join(servers[1]);
    between.isDeaf = true;
    const asked = roomOf(servers[0])
      .connections()
      .catch((error: unknown) => error);
    await clock.advance(2500);
    expect(String(await asked)).toMatch(/^BackplaneError: 2 of 2 servers did not answer within 2000 ms/);
  });
});

describe("joining and leaving", () => {
  const nodes = ({ backplane }: Scene): number => backplane.roomOf(":default").state.nodes.size;

  test("a server is in a room from before its first connection opens until a while after its last one has left", async () => {
    const here = scene();
    expect(nodes(here)).toBe(0);
    const one = await join(here.servers[0]);
    expect(nodes(here)).toBe(1);
    await here.clock.advance(60_000);
    expect(nodes(here)).toBe(1);
    await one.close();
    await here.clock.advance(15_000);
    expect(nodes(here)).toBe(0);
  });

  test("a server that is asked from outside joins, and leaves: a room that nobody of its own is in costs it nothing", async () => {
    const here = scene();
    expect(await roomOf(here.servers[0]).count()).toBe(0);
    expect(nodes(here)).toBe(1);
    await here.clock.advance(15_000);
    expect(nodes(here)).toBe(0);
    const { requests } = here.between;
    await here.clock.advance(600_000);
    expect(here.between.requests).toBe(requests);
  });

  test("a server that closes has handed over what it has published, and is counted no more", async () => {
    const here = scene({ close: (connection) => void connection.room.publish("chat", "last words") });
    const [one, two] = [await join(here.servers[0]), await join(here.servers[1])];
    await here.servers[0].close();
    expect(await two.next()).toBe("last words");
    expect([nodes(here), await roomOf(here.servers[1]).count()]).toEqual([1, 1]);
    expect(one.readyState).toBe(3);
  });

  test("names with any character are rooms of their own, and so are those of handlers with another binding", async () => {
    const backplane = memoryBackplane();
    const start = (binding: string): Memory => memory(defineHandler({ binding, history: { chat: {} } }), { backplane });
    const [one, other] = [start("A"), start("A:b")];
    await one.room("b:c").publish("chat", "mine");
    expect((await other.room("c").history("chat")).entries).toEqual([]);
    for (const server of [one, other]) await server.close();
  });
});

describe("a backplane that is away", () => {
  test("for a while: nothing is lost, nothing comes twice, order stays", async () => {
    const { servers, between, clock } = scene();
    const [one, two] = [await join(servers[0]), await join(servers[1])];
    between.isDown = true;
    for (const text of ["1", "2", "3"]) one.send(text);
    await clock.advance(1000);
    between.isDown = false;
    await clock.advance(1000);
    one.send("4");
    expect(await take(two, 4)).toEqual(["1", "2", "3", "4"]);
    expect(await take(one, 4)).toEqual(["1", "2", "3", "4"]);
  });

  test("answers that are lost: what was done is not done again", async () => {
    const { servers, between, clock } = scene();
    const [one, two] = [await join(servers[0]), await join(servers[1])];
    between.losesAnswers = true;
    one.send("1");
    await clock.advance(1000);
    between.losesAnswers = false;
    await clock.advance(5000);
    one.send("2");
    expect(await take(two, 2)).toEqual(["1", "2"]);
  });

  test("for longer: publishes say so, in a hook and outside, handshakes get 503, sockets stay; then all goes on", async () => {
    const { servers, between, clock, errors } = scene({
      message(connection, data) {
        try {
          connection.room.publish("chat", data);
        } catch (error) {
          connection.send((error as Error).name);
        }
      },
    });
    const [one, two] = [await join(servers[0]), await join(servers[1])];
    between.isSilent = true;
    one.send("waits");
    await clock.advance(3000);
    one.send("refused");
    expect(await one.next()).toBe("BackplaneError");
    await expect(roomOf(servers[0]).publish("chat", "outside")).rejects.toThrow(BackplaneError);
    const refusal = await refused(join(servers[0]));
    expect([refusal.response.status, refusal.response.headers.get("retry-after")]).toEqual([503, "1"]);
    // Nobody here has asked it for anything: it is found by its silence.
    await clock.advance(4000);
    const late = await refused(join(servers[1]));
    expect(late.response.status).toBe(503);
    expect(servers[1].stats().refused).toEqual({ backplane: 1 });
    between.isSilent = false;
    await clock.advance(4000);
    expect([one.readyState, two.readyState, errors]).toEqual([1, 1, []]);
    expect(await take(two, 1)).toEqual(["waits"]);
    two.send("again");
    expect(await take(one, 2)).toEqual(["waits", "again"]);
  });

  test("a handshake waits for a backplane that comes back, and is refused if that takes too long", async () => {
    const { servers, between, clock } = scene();
    between.isDown = true;
    const waiting = join(servers[0]);
    await clock.advance(1000);
    between.isDown = false;
    await clock.advance(500);
    expect((await waiting).readyState).toBe(1);
    between.isSilent = true;
    const late = refused(join(servers[1]));
    await clock.advance(2500);
    expect((await late).response.status).toBe(503);
    const asked = roomOf(servers[1])
      .count()
      .catch((error: unknown) => error);
    await clock.advance(2500);
    expect(await asked).toBeInstanceOf(BackplaneError);
  });

  test("what was told to nobody is found with the next report, and comes in order", async () => {
    const { servers, between, clock } = scene();
    const [one, two] = [await join(servers[0]), await join(servers[1])];
    between.isDeaf = true;
    for (const text of ["1", "2", "3"]) one.send(text);
    await clock.advance(100);
    between.isDeaf = false;
    one.send("4");
    await clock.advance(5000);
    expect(await take(two, 4)).toEqual(["1", "2", "3", "4"]);
    expect(await take(one, 4)).toEqual(["1", "2", "3", "4"]);
  });
});

describe("a server that is taken for dead", () => {
  test("closes its sockets with 1012, and joins again with the next one", async () => {
    const here = scene({ open: (connection) => void connection.subscribe("chat") });
    const [one, two] = [await join(here.servers[0]), await join(here.servers[1])];
    // The backplane has forgotten one of them.
    const { state } = here.backplane.roomOf(":default");
    const [first] = state.nodes.keys();
    state.nodes.delete(first as string);
    await here.clock.advance(5000);
    const ends = [one, two].map((client) => client.readyState);
    expect(ends).toEqual([3, 1]);
    expect((await one.closed).code).toBe(1012);
    const again = await join(here.servers[0]);
    again.send("back");
    await here.clock.advance(1000);
    expect(await two.next()).toBe("back");
    expect(await again.next()).toBe("back");
  });

  test("a backplane that is replaced by an empty one is told again who is there", async () => {
    const here = scene({ open: (connection) => (connection.subscribe("chat"), connection.present(`m${connection.url.length}`)) });
    const [one, two] = [await join(here.servers[0], ""), await join(here.servers[1], "long")];
    one.send("1");
    expect(await take(two, 1)).toEqual(["1"]);
    const lost = here.backplane.roomOf(":default");
    Object.assign(lost, {
      state: {
        life: "",
        feed: { number: 0, tag: "0" },
        logs: new Map(),
        numbers: new Map(),
        sessions: new Map(),
        present: new Map(),
        nodes: new Map(),
      },
    });
    await here.clock.advance(5000);
    for (const server of here.servers) {
      expect((await roomOf(server).presence()).length).toBe(2);
      expect(await roomOf(server).history("chat")).toMatchObject({ entries: [] });
    }
    two.send("2");
    await here.clock.advance(1000);
    expect(await take(one, 2)).toEqual(["1", "2"]);
    expect([one.readyState, two.readyState]).toEqual([1, 1]);
  });
});

describe("broadcast to all rooms", () => {
  test("reaches everyone on every server, once, but for those who are left out", async () => {
    const { servers, clock } = scene({
      upgrade: ({ url }) => ({ room: new URL(url).searchParams.get("room") ?? "" }),
      open: (connection) => void connection.send(connection.id),
    });
    const one = await servers[0].connect("ws://localhost/?room=a");
    const clients = [one, await servers[1].connect("ws://localhost/?room=a"), await servers[1].connect("ws://localhost/?room=b")];
    const [id] = await Promise.all(clients.map((client) => client.next()));
    await clock.advance(500);
    expect(await servers[0].broadcast("to all")).toBe(2);
    await servers[1].broadcast(new Uint8Array([1]), { except: String(id) });
    await servers[0].broadcast("end");
    await clock.advance(500);
    expect(await take(one, 2)).toEqual(["to all", "end"]);
    for (const client of clients.slice(1))
      expect((await take(client, 3)).filter((data) => typeof data === "string")).toEqual(["to all", "end"]);
  });
});

describe("what a server says of its backplane", () => {
  test("`stats` and `observe` tell that it is away, how long, what waits, and that it is back", async () => {
    const events: string[] = [];
    const here = scene({ observe: { backplane: ({ room, type }) => void events.push(`${room} ${type}`) } });
    const one = await join(here.servers[0]);
    await here.clock.advance(1000);
    expect(here.servers[0].stats().backplane).toEqual({ rooms: 1, waiting: 0, away: 0, impatient: 0, missed: 0 });
    here.between.isDown = true;
    one.send("waits");
    await here.clock.advance(9000);
    expect((await refused(join(here.servers[0]))).response.status).toBe(503);
    const { backplane } = here.servers[0].stats();
    expect(backplane).toMatchObject({ rooms: 1, impatient: 1 });
    expect(backplane?.waiting).toBeGreaterThan(0);
    expect(backplane?.away).toBeGreaterThan(7000);
    expect(events).toEqual(["default away"]);
    here.between.isDown = false;
    await here.clock.advance(5000);
    expect(await one.next()).toBe("waits");
    expect(here.servers[0].stats().backplane).toMatchObject({ waiting: 0, away: 0 });
    expect(events).toContain("default back");
  });

  test("frames that were missed are counted, and that the room was read again is told", async () => {
    const events: string[] = [];
    const here = scene({ observe: { backplane: ({ type }) => void events.push(type) } });
    await Promise.all([join(here.servers[0]), join(here.servers[1])]);
    await here.clock.advance(1000);
    here.between.isDeaf = true;
    const sent = roomOf(here.servers[0])
      .publish("chat", "missed")
      .catch(() => {});
    await here.clock.advance(2000);
    here.between.isDeaf = false;
    await here.clock.advance(10_000);
    await sent;
    const missed = here.servers.map((server) => server.stats().backplane?.missed ?? 0);
    expect(Math.min(...missed)).toBeGreaterThan(0);
    expect(events).toContain("joined");
  });
});

describe("what does not span servers yet is refused by name", () => {
  test.each([["disconnect of a connection of another server", (connection) => connection.room.disconnect("nobody")]] satisfies [
    string,
    (connection: Parameters<NonNullable<Handler["open"]>>[0]) => unknown,
  ][])("%s", async (name, call) => {
    const { servers, errors } = scene({ open: (connection) => void call(connection), alarm() {}, calls: { call: () => 1 } } as Handler);
    await join(servers[0]);
    await servers[0].settled();
    expect(errors.map(String)).toEqual([`Error: ${name}: not yet supported where rooms span servers (option "backplane") [EW430]`]);
  });

  test("from outside", async () => {
    const { servers } = scene();
    const one = roomOf(servers[0]);
    const calls = [one.delete(), servers[0].roomNames()];
    for (const call of calls) await expect(call).rejects.toThrow("not yet supported where rooms span servers");
    await expect(servers[0].hibernate()).rejects.toThrow("does not hibernate");
  });
});

test("options are checked by name", () => {
  const wrong: unknown = { lease: 1 };
  expect(() => memoryBackplane(wrong as object)).toThrow('option "backplane.lease" is 1: must be a whole number from 1000 to 3600000');
  expect(() => memoryBackplane({ leese: 1 } as object)).toThrow('backplane: unknown option "leese"');
  const handler = defineHandler({});
  expect(() => memory(handler, { backplane: {} as never })).toThrow('memory: option "backplane" must be what redis()');
  const storage = { open: () => undefined, hold: () => undefined } as never;
  expect(() => memory(handler, { backplane: memoryBackplane(), storage })).toThrow('memory: give only one of "storage" and "backplane"');
});
