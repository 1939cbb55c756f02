/** Clients with delivery over servers that share a backplane: they come back to any of them. What chapter DL says is in test/columns/cluster-memory.ts. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineHandler, type Handler } from "edgewire";
import { MemoryBackplane } from "edgewire/cluster";
import { delivery } from "edgewire/delivery";
import { DeliverySocket } from "edgewire/delivery/client";
import { memory, type Memory } from "edgewire/memory";
import { linked, type Link } from "./linked.ts";

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Real time: what is waited for is an event. */
const limits = { lease: 1000, patience: 700, counts: 0 };
const resumeTimeout = 600;

interface Node {
  readonly server: Memory;
  readonly link: Link;
}

interface Scene {
  readonly nodes: readonly [Node, Node];
  readonly log: string[];
  readonly backplane: MemoryBackplane;
}

function scene(hooks: Handler = {}): Scene {
  const backplane = new MemoryBackplane({ lease: limits.lease });
  const log: string[] = [];
  const start = (index: number): Node => {
    const link: Link = { isCut: false };
    const chat = defineHandler({
      delivery: delivery({ resumeTimeout }),
      history: { chat: { messages: 5000 } },
      upgrade: (request) => ({ state: { name: new URL(request.url).searchParams.get("name") ?? "" } }),
      open(connection) {
        connection.present((connection.state as { name: string }).name);
        connection.subscribe("chat", { history: true });
      },
      message(connection, data) {
        connection.room.publish("chat", data);
        connection.send(`answer to ${String(data)}`);
      },
      close: (connection, { code }) => void log.push(`close ${(connection.state as { name: string }).name} ${code} on ${index}`),
      error: (error) => void log.push(String(error)),
      ...hooks,
    });
    const server = memory(chat, { backplane: linked(backplane, link, limits) });
    stops.push(() => ((link.isCut = false), server.close({ deadline: 0 })));
    return { server, link };
  };
  return { nodes: [start(0), start(1)], log, backplane };
}

/** A client with delivery, whose sockets go to whichever server is `at`. */
class Client {
  at: Node;
  readonly got: string[] = [];
  readonly told: string[] = [];
  readonly socket: DeliverySocket;
  #current: WebSocket | undefined;

  constructor(at: Node, name = "ada") {
    this.at = at;
    const dial = (url: string | URL, protocols?: string | string[]): WebSocket =>
      (this.#current = new this.at.server.WebSocket(url, protocols as string[]) as unknown as WebSocket);
    function Dialled(url: string | URL, protocols?: string | string[]): WebSocket {
      return dial(url, protocols);
    }
    this.socket = new DeliverySocket(`ws://localhost/?name=${name}`, [], { WebSocket: Dialled as never, firstDelay: 5, maxDelay: 20 });
    this.socket.addEventListener("message", ({ data }) => void this.got.push(String(data)));
    for (const type of ["gap", "uncertain", "error", "close"] as const) this.socket.addEventListener(type, () => void this.told.push(type));
    stops.push(() => this.socket.close());
  }

  cut(at: Node = this.at): void {
    this.at = at;
    (this.#current as unknown as { terminate(): void } | undefined)?.terminate();
  }

  /** What came of the topic; answers apart. */
  get topic(): string[] {
    return this.got.filter((text) => !text.startsWith("answer"));
  }

  get answers(): string[] {
    return this.got.filter((text) => text.startsWith("answer"));
  }
}

const until = (done: () => void): Promise<void> => vi.waitFor(done, { timeout: 15_000, interval: 10 });

describe("a client that comes back to another server", () => {
  test("is the same connection: it misses nothing, gets nothing twice, and what it sends is applied once", async () => {
    const { nodes, log } = scene();
    const clients = [new Client(nodes[0], "ada"), new Client(nodes[1], "grace"), new Client(nodes[0], "alan")];
    const sent: string[] = [];
    for (let round = 0; round < 60; round++) {
      for (const [index, client] of clients.entries()) {
        const text = `${index}.${round}`;
        sent.push(text);
        client.socket.send(text);
        if ((round + index) % 7 === 3) client.cut(nodes[(round + index) % 2 === 0 ? 0 : 1]);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => {
      for (const client of clients) expect([client.topic.length, client.answers.length]).toEqual([180, 60]);
    });
    const [first] = clients;
    for (const [index, client] of clients.entries()) {
      expect(client.topic).toEqual(first?.topic);
      expect(client.answers).toEqual(Array.from({ length: 60 }, (_, round) => `answer to ${index}.${round}`));
      expect(client.told).toEqual([]);
    }
    expect(new Set(first?.topic)).toEqual(new Set(sent));
    expect(log).toEqual([]);
    for (const { server } of nodes)
      expect((await server.room("default").presence()).map(({ id }) => id).sort()).toEqual(["ada", "alan", "grace"]);
  });

  test("keeps its id, its state however large, and its topics; nobody is told that it went", async () => {
    const diffs: string[] = [];
    const large = "x".repeat(40_000);
    const { nodes } = scene({
      upgrade: (request) => ({ state: { name: new URL(request.url).searchParams.get("name") ?? "", large } }),
      presence: (_room, { joined, left, updated }) => void diffs.push(`${joined.length} ${left.length} ${updated.length}`),
      message: (connection) =>
        void connection.send(`${connection.id} ${(connection.state as { large: string }).large.length} ${[...connection.topics].join()}`),
    });
    const client = new Client(nodes[0]);
    client.socket.send("who");
    await until(() => expect(client.got.length).toBe(1));
    client.cut(nodes[1]);
    client.socket.send("who");
    await until(() => expect(client.got.length).toBe(2));
    expect(client.got[1]).toBe(client.got[0]);
    expect(client.got[0]).toMatch(/ 40000 chat$/);
    expect(diffs).toEqual(["1 0 0"]);
    expect([nodes[0].server.stats().delivery, nodes[1].server.stats().delivery]).toMatchObject([{ live: 0 }, { live: 1 }]);
  });

  test("whose server is cut off from the backplane: the other takes over, and what the first still does is not stored", async () => {
    const { nodes, log } = scene();
    const client = new Client(nodes[0]);
    client.socket.send("1");
    await until(() => expect(client.got.length).toBe(2));
    nodes[0].link.isCut = true;
    client.socket.send("2");
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.cut(nodes[1]);
    client.socket.send("3");
    await until(() => expect(client.topic).toEqual(["1", "2", "3"]));
    nodes[0].link.isCut = false;
    await until(() => expect(nodes[0].server.stats().delivery).toMatchObject({ live: 0, disconnected: 0 }));
    client.socket.send("4");
    await until(() => expect(client.answers).toEqual(["1", "2", "3", "4"].map((text) => `answer to ${text}`)));
    expect(client.topic).toEqual(["1", "2", "3", "4"]);
    expect([client.told, log]).toEqual([[], []]);
  });

  test("whose server is deployed anew: no close hook runs, and it goes on", async () => {
    const { nodes, log } = scene();
    const client = new Client(nodes[0]);
    client.socket.send("1");
    await until(() => expect(client.got.length).toBe(2));
    client.at = nodes[1];
    await nodes[0].server.close({ retry: 10 });
    client.socket.send("2");
    await until(() => expect(client.got).toEqual(["1", "answer to 1", "2", "answer to 2"]));
    expect([client.told, log]).toEqual([[], []]);
  });

  test("a hook that still runs where the client was is not stored: the message has its hook where the client is", async () => {
    const runs: string[] = [];
    const gates: (() => void)[] = [];
    const { nodes } = scene({
      async message(connection, data, info) {
        runs.push(String(info?.messageId).split(":")[1] ?? "");
        if (runs.length === 1) await new Promise<void>((resolve) => void gates.push(resolve));
        connection.room.publish("chat", data);
        connection.send(`answer to ${String(data)}`);
      },
    });
    const client = new Client(nodes[0]);
    client.socket.send("1");
    await until(() => expect(gates.length).toBe(1));
    client.cut(nodes[1]);
    await until(() => expect(client.got).toEqual(["1", "answer to 1"]));
    gates[0]?.();
    client.socket.send("2");
    await until(() => expect(client.answers).toEqual(["answer to 1", "answer to 2"]));
    expect([client.topic, runs]).toEqual([
      ["1", "2"],
      ["1", "1", "2"],
    ]);
  });
});

describe("a client that does not come back", () => {
  test("ends where it was, once, when its time is over", async () => {
    const { nodes, log } = scene();
    const client = new Client(nodes[0]);
    await until(() => expect(nodes[0].server.stats().delivery).toMatchObject({ live: 1 }));
    client.cut(nodes[1]);
    await until(() => expect(nodes[1].server.stats().delivery).toMatchObject({ live: 1 }));
    client.at = {
      server: {
        WebSocket: class {
          constructor() {
            throw new Error("nowhere");
          }
        },
      } as never,
      link: { isCut: true },
    };
    client.cut(client.at);
    await until(() => expect(log).toEqual(["close ada 1006 on 1"]));
    for (const { server } of nodes)
      expect([await server.room("default").count(), await server.room("default").presence()]).toEqual([0, []]);
  });

  test("whose server has died: another one waits for it, and ends it", async () => {
    const { nodes, log } = scene();
    const [client, other] = [new Client(nodes[0], "ada"), new Client(nodes[1], "grace")];
    await until(() => expect([client.socket.readyState, other.socket.readyState]).toEqual([1, 1]));
    client.socket.send("1");
    await until(() => expect(other.topic).toEqual(["1"]));
    nodes[0].link.isCut = true;
    client.at = {
      server: {
        WebSocket: class {
          constructor() {
            throw new Error("nowhere");
          }
        },
      } as never,
      link: { isCut: true },
    };
    client.cut(client.at);
    expect((await nodes[1].server.room("default").presence()).length).toBe(2);
    await until(() => expect(log).toContain("close ada 1006 on 1"));
    expect((await nodes[1].server.room("default").presence()).map(({ id }) => id)).toEqual(["grace"]);
    expect(other.socket.readyState).toBe(1);
  });
});

test("a backplane that is away for long: messages stay with their clients, and are applied once when it is back", async () => {
  const { nodes, log } = scene();
  const client = new Client(nodes[0]);
  client.socket.send("1");
  await until(() => expect(client.got.length).toBe(2));
  nodes[0].link.isCut = true;
  client.socket.send("2");
  await new Promise((resolve) => setTimeout(resolve, limits.patience + 100));
  client.socket.send("3");
  nodes[0].link.isCut = false;
  await until(() => expect(client.topic).toEqual(["1", "2", "3"]));
  await until(() => expect(client.answers.length).toBe(3));
  expect([client.told, log]).toEqual([[], []]);
});
