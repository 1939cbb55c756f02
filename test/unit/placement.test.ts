/** Where rooms' objects are: the same for a handshake, for `rooms` and for a room's own calls to others. */
import { expect, test, vi } from "vitest";
import { objectsOf, remoteRoom, rooms } from "../../adapters/workers/rooms.ts";
import { objectHeader, route } from "../../adapters/workers/route.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { callingOf } from "../../src/rooms/calls/caller.ts";

class DurableObjectNamespace {
  readonly log: string[];
  readonly #prefix: string;

  constructor(log: string[] = [], prefix = "") {
    this.log = log;
    this.#prefix = prefix;
  }

  get [Symbol.toStringTag](): string {
    return "DurableObjectNamespace";
  }

  jurisdiction(name: string): DurableObjectNamespace {
    if (name === "mars") throw new TypeError("unknown jurisdiction");
    if (name === "none") throw new Error("Jurisdiction restrictions are not implemented in workerd.");
    return new DurableObjectNamespace(this.log, `${name} `);
  }

  idFromName(name: string): string {
    return this.#prefix + name;
  }

  get(id: string, options?: object): object {
    this.log.push(`${id} ${JSON.stringify(options)}`);
    return {
      fetch: () => new Response("full", { status: 503, headers: { [objectHeader]: "ROOM" } }),
      edgewireRoom: async (...args: unknown[]) => args,
    };
  }
}

const placement = { jurisdiction: "eu", locationHint: (room: string) => (room === "lobby" ? "weur" : undefined) };
const handler = defineHandler({ binding: "ROOM", upgrade: () => ({ room: "lobby" }), ...placement });

function handshake(): Request {
  return new Request("https://chat.example/", {
    headers: {
      host: "chat.example",
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
}

test("route, rooms and a handler's rooms find the same object, with the same hint", async () => {
  const ROOM = new DurableObjectNamespace();
  const env = { ROOM };
  expect((await route(handler).fetch(handshake(), env, { waitUntil() {} })).status).toBe(503);
  await rooms(ROOM, placement).room("lobby").count();
  expect(await remoteRoom(objectsOf(handler, env), "lobby", callingOf()).count("a")).toEqual(["lobby", "count", ["a"], "eu"]);
  expect(ROOM.log).toEqual(Array.from({ length: 3 }, () => 'eu lobby {"locationHint":"weur"}'));
});

test("an object that was unavailable has not shown whose it is: the next handshake asks again", async () => {
  const ROOM = new DurableObjectNamespace();
  const asked: unknown[] = [];
  vi.spyOn(ROOM, "get").mockImplementation(() => ({
    async fetch(_request: Request, { cf }: { cf: { edgewire: readonly unknown[] } }) {
      asked.push(cf.edgewire[1]);
      if (asked.length === 1) throw Object.assign(new Error("overloaded"), { retryable: true });
      return new Response("full", { status: 503, headers: { [objectHeader]: "ROOM" } });
    },
  }));
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const worker = route(defineHandler({ binding: "ROOM", upgrade: () => ({ room: "lobby" }) }));
  for (let round = 0; round < 3; round++) expect((await worker.fetch(handshake(), { ROOM }, { waitUntil() {} })).status).toBe(503);
  expect(asked).toEqual([true, true, false]);
  error.mockRestore();
});

test("a room's id is made of its name once, however many rooms there are", async () => {
  const namespace = new DurableObjectNamespace();
  const named = vi.spyOn(namespace, "idFromName");
  const found = rooms(namespace);
  for (let visit = 0; visit < 3; visit++) await found.room("lobby").count();
  expect(named).toHaveBeenCalledTimes(1);
  for (let room = 0; room < 2500; room++) await found.room(`room ${room}`).count();
  expect(await found.room("room 2499").count()).toEqual(["room 2499", "count", [], undefined]);
  expect(named).toHaveBeenCalledTimes(2501);
});

test("no placement, no option; a hint for each room, or for all", async () => {
  const namespace = new DurableObjectNamespace();
  await rooms(namespace).room("a").count();
  await rooms(namespace, placement).room("other").count();
  await rooms(namespace, { locationHint: "oc" }).room("a").count();
  expect(namespace.log).toEqual(["a undefined", "eu other undefined", 'a {"locationHint":"oc"}']);
});

test("bad placements, each by name; Cloudflare's own error stays", () => {
  const namespace = new DurableObjectNamespace();
  expect(() => rooms(namespace, { jurisdiction: "" })).toThrow('option "jurisdiction" must be one of');
  expect(() => rooms(namespace, { location: "weur" } as never)).toThrow(
    'unknown option "location": options are jurisdiction, locationHint [EW105]',
  );
  expect(() => rooms(namespace, { jurisdiction: "mars" })).toThrow("unknown jurisdiction");
});
