/** Positions that a client offers in its handshake: how they are written and read, and where a subscription goes on. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import type { MemoryClient } from "../../adapters/memory/client.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { HistoryEncoder, Replay } from "../../src/api/history.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { makePositions } from "../../src/messages/topics/positions.ts";
import { isOffer, offerPrefix, readOffer, unwritten } from "../../src/protocol/positions.ts";
import { isToken } from "../../src/values/text.ts";

const offerOf = (...positions: readonly (readonly [topic: string, position: string])[]): string =>
  [offerPrefix, ...positions.map(([topic, position]) => `${encodeURIComponent(topic)}~${position}`)].join("~");

/** Shows what a subscriber gets: `data@offset`, and before it where the replay starts. */
const shown: HistoryEncoder = Object.assign(
  ({ data, position }: Parameters<HistoryEncoder>[0]) => `${String(data)}@${position.split(".")[1]}`,
  {
    start: ({ topic, position, gap }: { topic: string; position: string; gap: boolean }) => `${topic} from ${position}${gap ? " gap" : ""}`,
  },
);

/** Subscribes as the client's messages say; `open` may subscribe too. */
function room(over: Handler = {}) {
  const replays: Replay[] = [];
  const server = memory(
    defineHandler({
      history: { chat: { messages: 5, encode: shown }, other: { encode: shown }, plain: {} },
      message(connection, data) {
        const [topic = "", after] = String(data).split(" ");
        replays.push(connection.subscribe(topic, { history: after === undefined ? true : { after } }));
      },
      ...over,
    }),
  );
  const lobby = server.room("default");
  const publish = async (topic: string, ...texts: readonly string[]): Promise<void> => {
    for (const text of texts) await lobby.publish(topic, text);
  };
  const position = async (topic: string, index?: number): Promise<string> => {
    const { entries, position: last } = await lobby.history(topic);
    return index === undefined ? last : (entries[index]?.position ?? "");
  };
  return { server, lobby, publish, position, replays, connect: (...protocols: string[]) => server.connect(undefined, { protocols }) };
}

async function next(client: MemoryClient, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count) got.push(String(await client.next()));
  return got;
}

test("what a client writes is one token, which a server reads back", () => {
  const topic = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  const position = fc.tuple(fc.nat(), fc.nat(), fc.nat());
  fc.assert(
    fc.property(fc.dictionary(topic, position, { maxKeys: 10, noNullPrototype: true }), (places) => {
      const positions = makePositions(false);
      const given = Object.entries(places).map(([name, parts]) => [name, parts.join(".")] as const);
      for (const [name, place] of given) positions.start({ type: "position", topic: name, position: place });
      const [offer, ...more] = positions.offer();
      if (given.length === 0) return void expect(offer).toBeUndefined();
      expect(more).toEqual([]);
      expect(isToken(offer ?? "") && isOffer(offer ?? "")).toBe(true);
      expect(offer?.length).toBeLessThanOrEqual(3072);
      const read = [...readOffer(offer ?? "")];
      // Those that were used last.
      expect(read).toEqual(given.slice(given.length - read.length));
    }),
    { numRuns: 20 },
  );
});

test("a malformed offer is none, and costs no more than its letters", () => {
  for (const bad of [
    offerPrefix,
    `${offerPrefix}~`,
    `${offerPrefix}~chat`,
    `${offerPrefix}~chat~1.2.3~`,
    `${offerPrefix}~%~1.2.3`,
    `${offerPrefix}~%ff~1.2.3`,
    `${offerPrefix}~chat~1.2.3~%e0%a4~1.2.3`,
    `${offerPrefix}~${"a".repeat(4000)}~1.2.3`,
    `${offerPrefix}${"~".repeat(3001)}`,
  ]) {
    expect(
      [...readOffer(bad)].filter(([topic]) => topic !== ""),
      bad.slice(0, 60),
    ).toEqual([]);
  }
  expect(readOffer(offerOf(["__proto__", "1.2.3"])).get("__proto__")).toBe("1.2.3");
});

test("a subscription goes on from the offer, once; an explicit position wins", async () => {
  const { publish, position, connect, replays } = room();
  await publish("chat", "a", "b", "c");
  const offer = offerOf(["chat", await position("chat", 0)]);
  const client = await connect(offer);
  client.send("chat");
  expect(await next(client, 3)).toEqual([`chat from ${await position("chat", 0)}`, "b@2", "c@3"]);
  client.send("chat");
  expect((await next(client, 4)).slice(1)).toEqual(["a@1", "b@2", "c@3"]);
  const other = await connect(offer);
  other.send(`chat ${await position("chat", 1)}`);
  expect(await next(other, 2)).toEqual([`chat from ${await position("chat", 1)}`, "c@3"]);
  other.send("chat");
  expect(await next(other, 4)).toHaveLength(4);
  expect(replays.map(({ replayed, complete }) => [replayed, complete])).toEqual([
    [2, true],
    [3, true],
    [1, true],
    [3, true],
  ]);
});

test("in `open`, and by topic; what the server does not subscribe to does nothing", async () => {
  const { publish, position, connect } = room({
    open(connection) {
      connection.subscribe("other", { history: true });
      connection.subscribe("chat", { history: true });
    },
  });
  await publish("chat", "a", "b");
  await publish("other", "x", "y");
  const client = await connect(
    "v1",
    offerOf(["chat", await position("chat", 0)], ["plain", "e.1.t"], ["nobody", "e.1.t"], ["other", await position("other")]),
  );
  expect(await next(client, 3)).toEqual([`other from ${await position("other")}`, `chat from ${await position("chat", 0)}`, "b@2"]);
});

test("a subscription that fails leaves the offer for the next", async () => {
  const { publish, position, connect } = room({
    maxTopics: 1,
    message(connection, data) {
      if (data === "full") {
        connection.subscribe("other");
        expect(() => connection.subscribe("chat", { history: true })).toThrow(RangeError);
        connection.unsubscribe("other");
      }
      connection.subscribe("chat", { history: true });
    },
  });
  await publish("chat", "a", "b");
  const client = await connect(offerOf(["chat", await position("chat", 0)]));
  client.send("full");
  expect(await next(client, 2)).toEqual([`chat from ${await position("chat", 0)}`, "b@2"]);
});

test("what is missing is said before what follows: too old, another log's, made up", async () => {
  const { lobby, publish, position, connect, replays } = room();
  await publish("chat", "a", "b");
  const old = await position("chat", 0);
  await publish("chat", "c", "d", "e", "f", "g");
  const [epoch] = old.split(".");
  const before = (await lobby.history("chat")).entries[0]?.position ?? "";
  expect(before).toMatch(/\.3\./);
  for (const offered of [old, "other.3.tag", `${epoch}.4.0`, `${epoch}.99.x`, "é", "x".repeat(500)]) {
    const client = await connect(offerOf(["chat", encodeURIComponent(offered)]));
    client.send("chat");
    const [start = "", ...rest] = await next(client, 6);
    expect(start, offered).toMatch(/^chat from \w+\.2\.\w+ gap$/);
    expect(rest).toEqual(["c@3", "d@4", "e@5", "f@6", "g@7"]);
    expect(replays.at(-1)).toMatchObject({ replayed: 5, complete: false });
    // It goes on after the gap, and that is told once.
    const again = await connect(offerOf(["chat", start.split(" ")[2] ?? ""]));
    again.send("chat");
    expect((await next(again, 6))[0]).toBe(start.replace(" gap", ""));
  }
  // The last one that was dropped is still known.
  const client = await connect(offerOf(["chat", before]));
  client.send("chat");
  expect(await next(client, 5)).toEqual([`chat from ${before}`, "d@4", "e@5", "f@6", "g@7"]);
});

test("without an offer nothing is missing, but the start is told", async () => {
  const { publish, connect } = room();
  await publish("chat", "a", "b", "c", "d", "e", "f");
  const client = await connect();
  client.send("chat");
  expect((await next(client, 6))[0]).toMatch(/^chat from \w+\.1\.\w+$/);
});

test("an empty history starts where any first message follows, also after its position was forgotten", async () => {
  const { server, publish, connect } = room();
  const first = await connect();
  first.send("chat");
  expect(await next(first, 1)).toEqual([`chat from ${unwritten}`]);
  await server.hibernate();
  await publish("chat", "a");
  expect(await next(first, 1)).toEqual(["a@1"]);
  const offer = offerOf(["chat", unwritten]);
  const back = await connect(offer);
  back.send("chat");
  expect(await next(back, 2)).toEqual([expect.stringMatching(/^chat from \w+\.0\.0$/), "a@1"]);
  await publish("chat", "b", "c", "d", "e", "f");
  const late = await connect(offer);
  late.send("chat");
  expect((await next(late, 6))[0]).toMatch(/^chat from \w+\.1\.\w+ gap$/);
});

test("an eviction forgets an offer that is not used yet: all is sent", async () => {
  const { server, publish, position, connect } = room();
  await publish("chat", "a", "b", "c");
  const client = await connect(offerOf(["chat", await position("chat", 1)]));
  await server.hibernate();
  client.send("chat");
  expect(await next(client, 4)).toEqual([expect.stringMatching(/^chat from \w+\.0\.0$/), "a@1", "b@2", "c@3"]);
});

test("an offer is never selected, and is no subprotocol for any rule", async () => {
  const offer = offerOf(["chat", "e.1.t"]);
  const { connect } = room({ protocols: ["v1", offer] });
  expect((await connect(offer, "v1")).protocol).toBe("v1");
  expect((await connect(offer)).protocol).toBe("");
  expect((await connect("v2", offer, `${offerPrefix}~more~1.2.3`)).protocol).toBe("");
  const strict = room({ protocols: ["v1"], requireProtocol: true });
  await expect(strict.connect(offer)).rejects.toMatchObject({ response: { status: 400 } });
  const choosing = room({ upgrade: () => ({ protocol: offer }), error: () => {} });
  await expect(choosing.connect(offer)).rejects.toMatchObject({ response: { status: 500 } });
});

test("a client that may leave little unread gets the start, and the newest that fit behind it", async () => {
  const { publish, position, connect, replays } = room({ maxBuffered: 2048, highWaterMark: 1024 });
  await publish("chat", "a".repeat(700), "b".repeat(700), "c".repeat(700));
  const client = await connect(offerOf(["chat", unwritten]));
  client.send("chat");
  const [start, ...rest] = await next(client, 3);
  expect(start).toBe(`chat from ${await position("chat", 0)} gap`);
  expect(rest.map((text) => text[0])).toEqual(["b", "c"]);
  expect(replays).toEqual([{ replayed: 2, complete: false, position: await position("chat") }]);
  // One that is too large even alone is a gap.
  await publish("other", "d".repeat(3000));
  client.send("other");
  expect(await next(client, 1)).toEqual([`other from ${await position("other")}`]);
});

test("a wrong `start` is refused by name", () => {
  const encode = Object.assign((): string => "", { start: "x" }) as unknown as HistoryEncoder;
  expect(() => defineHandler({ history: { chat: { encode } } })).toThrow(
    'option "history.chat.encode.start" must be a function, not "x" [EW118]',
  );
});
