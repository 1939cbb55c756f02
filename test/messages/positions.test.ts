/** What `messageClient` makes of positions and gaps, against a socket that the test plays; and what `messages.positioned` writes. */
import { beforeEach, describe, expect, test } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { msgpack } from "../../adapters/msgpack/index.ts";
import type { HistoryEntry } from "../../src/api/history.ts";
import { defineMessages, json, messageClient } from "../../src/messages/index.ts";
import type { Gap, MessageError, MessagePosition } from "../../src/messages/index.ts";
import { FakeSocket } from "./fake-socket.ts";

const messages = defineMessages({
  toClient: {
    said: z.string(),
    later: v.pipeAsync(
      v.string(),
      v.checkAsync(async () => (await new Promise((resolve) => setTimeout(resolve, 1, true))) as boolean),
    ),
  },
});

class OfferingSocket extends FakeSocket {
  more: () => readonly string[] = () => ["nothing"];
  offer(more: () => readonly string[]): void {
    this.more = more;
  }
}

let socket: OfferingSocket;
beforeEach(() => {
  socket = new OfferingSocket();
});

/** A client, with all that its listeners were told in order. */
function listening() {
  const client = messageClient(messages, socket);
  socket.says("open");
  const told: string[] = [];
  const errors: MessageError[] = [];
  const positions: (MessagePosition | undefined)[] = [];
  const gaps: Gap[] = [];
  for (const name of ["said", "later"] as const) {
    client.on(name, (text, position) => {
      told.push(text);
      positions.push(position);
    });
  }
  client.onGap((gap) => {
    told.push("gap");
    gaps.push(gap);
  });
  client.onError((error) => errors.push(error));
  return { client, told, errors, positions, gaps };
}

const receive = (value: object): void => socket.receives(JSON.stringify(value));
const said = (payload: string, position: string, topic = "chat"): void =>
  receive({ type: "message", name: "said", payload, topic, position, time: 5 });
const start = (position: string, gap?: boolean, topic = "chat"): void => receive({ type: "position", topic, position, gap });

describe("the client", () => {
  test("gives a listener the position, and none where there is none", () => {
    const { positions } = listening();
    said("a", "e.1.x");
    receive({ type: "message", name: "said", payload: "b" });
    receive({ type: "message", name: "said", payload: "c", topic: "chat" });
    expect(positions).toEqual([{ topic: "chat", position: "e.1.x", time: 5 }, undefined, undefined]);
  });

  test("drops what it has, of each topic and each log", () => {
    const { told } = listening();
    said("a", "e.1.x");
    said("b", "e.2.x");
    said("b again", "e.2.x");
    said("a again", "e.1.x");
    said("of another topic", "e.1.x", "news");
    said("of a new log", "f.1.x");
    said("of the new log again", "f.1.x");
    expect(told).toEqual(["a", "b", "of another topic", "of a new log"]);
  });

  test("offers what it has, newest last; nothing before it has anything, or without a subprotocol", () => {
    listening();
    expect(socket.more()).toEqual([]);
    said("a", "e.1.x");
    said("b", "e.1.x", "né (~)");
    start("0.0.0", false, "empty");
    said("c", "e.2.x");
    expect(socket.more()).toEqual(["edgewire.positions.1~n%C3%A9%20%28%7e%29~e.1.x~empty~0.0.0~chat~e.2.x"]);
    socket = new OfferingSocket();
    socket.protocol = "";
    listening();
    said("a", "e.1.x");
    expect(socket.more()).toEqual(["nothing"]);
  });

  test("of a socket that offers nothing besides, it keeps what it has all the same", () => {
    const plain = new FakeSocket();
    const client = messageClient(messages, plain);
    const told: string[] = [];
    client.on("said", (text) => told.push(text));
    for (const position of ["e.1.x", "e.1.x"]) {
      plain.receives(JSON.stringify({ type: "message", name: "said", payload: "a", topic: "chat", position, time: 5 }));
    }
    expect(told).toEqual(["a"]);
  });

  test("keeps the positions of 100 topics, those that were used last, and offers at most 3 KiB", () => {
    listening();
    for (let index = 0; index < 150; index++) said("a", "e.1.x", `t${index}`);
    said("b", "e.2.x", "t60");
    const [offer = ""] = socket.more();
    const parts = offer.split("~").slice(1);
    expect(parts.length).toBe(200);
    expect(parts.slice(0, 2)).toEqual(["t50", "e.1.x"]);
    expect(parts.slice(-2)).toEqual(["t60", "e.2.x"]);
    for (let index = 0; index < 100; index++) said("a", "e.1.x", `${index}`.repeat(100));
    expect(socket.more()[0]?.length).toBeLessThanOrEqual(3072);
    expect(socket.more()[0]).toMatch(new RegExp(`~${"99".repeat(100)}~e\\.1\\.x$`));
  });

  describe("where a replay starts", () => {
    test.each<[what: string, has: string | undefined, starts: string, gap: boolean | undefined, isGap: boolean]>([
      ["at first", undefined, "e.0.0", undefined, false],
      ["behind messages that it never had", undefined, "e.7.x", undefined, false],
      ["where it is", "e.3.x", "e.3.x", undefined, false],
      ["before that, because the server did not know where it is", "e.3.x", "e.0.0", undefined, false],
      ["behind that", "e.3.x", "e.4.x", undefined, true],
      ["in another log", "e.3.x", "f.0.0", undefined, true],
      ["in a log that was deleted and is not written again", "e.3.x", "0.0.0", undefined, true],
      ["in the first log of a topic that was empty", "0.0.0", "e.0.0", undefined, false],
      ["in that, behind its first messages", "0.0.0", "e.2.x", undefined, true],
      ["in a topic that is still empty", "0.0.0", "0.0.0", undefined, false],
      ["in an empty topic of another process", "e.0.0", "f.0.0", undefined, true],
      ["as the server says: at a loss that it knows of", "e.3.x", "e.1.x", true, true],
      ["as the server says, where the client has nothing", undefined, "e.1.x", true, true],
    ])("%s", (_, has, starts, gap, isGap) => {
      const { told, gaps } = listening();
      if (has?.endsWith(".0.0") === true) start(has);
      else if (has !== undefined) said("has", has);
      start(starts, gap);
      expect(gaps).toEqual(isGap ? [{ topic: "chat", position: starts }] : []);
      // A cut right behind it: it is told once.
      start(starts);
      expect(gaps.length).toBe(isGap ? 1 : 0);
      const [epoch, offset] = starts.split(".");
      said("next", `${epoch === "0" ? "g" : epoch}.${Number(offset) + 1}.y`);
      const isKnown = !isGap && has === "e.3.x" && starts === "e.0.0";
      expect(told.includes("next")).toBe(!isKnown);
    });
  });

  test("a gap is told before what follows it and behind what precedes it, also behind an asynchronous schema", async () => {
    const { told } = listening();
    receive({ type: "message", name: "later", payload: "one", topic: "chat", position: "e.1.x", time: 5 });
    start("e.4.x");
    said("five", "e.5.x");
    expect(told).toEqual([]);
    await expect.poll(() => told).toEqual(["one", "gap", "five"]);
  });

  test("a message that nobody listens to, or whose payload is invalid, has been had", () => {
    const { told, errors } = listening();
    receive({ type: "message", name: "unheard", payload: 1, topic: "chat", position: "e.1.x", time: 5 });
    receive({ type: "message", name: "said", payload: 1, topic: "chat", position: "e.2.x", time: 5 });
    start("e.2.x");
    expect(told).toEqual([]);
    expect(errors.map(({ code }) => code)).toEqual(["invalid-payload"]);
    expect(socket.more()).toEqual(["edgewire.positions.1~chat~e.2.x"]);
  });

  test("a listener that throws, or adds and removes listeners, changes nothing for the others", () => {
    const { client, told } = listening();
    const off = client.onGap(() => off());
    client.onGap(() => client.onGap(() => told.push("added")));
    start("e.1.x", true);
    start("e.1.x", true);
    expect(told).toEqual(["gap", "gap", "added"]);
  });

  test.each<[what: string, frame: object]>([
    ["no topic", { type: "message", name: "said", payload: "a", position: "e.1.x", time: 5 }],
    ["no time", { type: "message", name: "said", payload: "a", topic: "t", position: "e.1.x" }],
    ["a time that is text", { type: "message", name: "said", payload: "a", topic: "t", position: "e.1.x", time: "5" }],
    ["a position that is a list", { type: "message", name: "said", payload: "a", topic: "t", position: ["e.1.x"], time: 5 }],
    ["a position that is a number", { type: "message", name: "said", payload: "a", topic: "t", position: 1, time: 5 }],
    ["a position of another form", { type: "message", name: "said", payload: "a", topic: "t", position: "e.1~x", time: 5 }],
    ["a topic with a lone surrogate", { type: "message", name: "said", payload: "a", topic: "\ud800", position: "e.1.x", time: 5 }],
    ["a start without a position", { type: "position", topic: "t" }],
    ["a start without a topic", { type: "position", position: "e.1.x" }],
    ["a start of another form", { type: "position", topic: "t", position: "" }],
  ])("is told of a bad frame: %s", (_, frame) => {
    const { told, errors, gaps } = listening();
    receive(frame);
    expect([told, gaps, errors.map(({ code }) => code)]).toEqual([[], [], ["bad-frame"]]);
    expect(socket.more()).toEqual([]);
  });
});

describe("what a history sends", () => {
  const entry = (data: HistoryEntry["data"]) => ({ data, topic: 'ch"at', position: "e.1.x", time: 5 });

  test("in JSON: the frame, with the position", () => {
    const { positioned } = messages;
    const data = messages.encode("said", 'a "b" {}');
    expect(JSON.parse(String(positioned(entry(data))))).toEqual({
      type: "message",
      name: "said",
      payload: 'a "b" {}',
      topic: 'ch"at',
      position: "e.1.x",
      time: 5,
    });
  });

  test("in MessagePack alone: the frame, with the position; its start too", () => {
    const packed = defineMessages({ codecs: [msgpack], toClient: { said: z.unknown(), left: z.undefined() } });
    for (const data of [packed.encode("said", { bytes: Uint8Array.of(1), date: new Date(0) }), packed.encode("left")]) {
      const before = msgpack.decode(data as Uint8Array<ArrayBuffer>) as object;
      const after = msgpack.decode(packed.positioned(entry(data)) as Uint8Array<ArrayBuffer>);
      expect(after).toEqual({ ...before, topic: 'ch"at', position: "e.1.x", time: 5 });
    }
    const started = packed.positioned.start?.({ topic: "chat", position: "e.1.x", gap: true }) as Uint8Array<ArrayBuffer>;
    expect(msgpack.decode(started)).toEqual({ type: "position", topic: "chat", position: "e.1.x", gap: true });
  });

  test("where it starts, with `gap` only if there is one", () => {
    const startOf = (gap: boolean): unknown => JSON.parse(String(messages.positioned.start?.({ topic: "chat", position: "e.1.x", gap })));
    expect([startOf(false), startOf(true)]).toEqual([
      { type: "position", topic: "chat", position: "e.1.x" },
      { type: "position", topic: "chat", position: "e.1.x", gap: true },
    ]);
  });

  test("what is no message of ours passes as it is", () => {
    const both = defineMessages({ codecs: [msgpack, json], toClient: { said: z.string() } });
    const packed = defineMessages({ codecs: [msgpack] });
    const raw = ["", "hello", "{}", '{"type":"presence","topic":"people"}', Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(0xc1)];
    for (const data of raw) {
      for (const { positioned } of [messages, both, packed]) expect(positioned(entry(data))).toBe(data);
    }
  });
});
