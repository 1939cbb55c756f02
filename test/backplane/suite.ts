/**
 * What the port promises, as cases for any implementation: docs/maintainers/backplane.md says how to run them. Several servers share one store; each has a backplane of its
 * own over it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backplane } from "../../src/cluster/backplane.ts";
import type { Lane } from "../../src/cluster/tasks.ts";
import { Member, word } from "./member.ts";
import { feedCases } from "./suite-feed.ts";
import { keptCases } from "./suite-kept.ts";
import { logCases } from "./suite-logs.ts";
import { nodeCases } from "./suite-nodes.ts";
import { sessionCases } from "./suite-sessions.ts";

/** What the cases need besides the port: they move time, and lose what is stored. */
export interface BackplaneHost {
  /** Of one server: all of them share what is stored. Called twice. */
  readonly backplanes: readonly [Backplane, Backplane];
  /** The node was silent for its lease. Wait for it if there is no other way. */
  lapse(room: string, node: string): Promise<void>;
  /** The server that has the lane was silent for its lease. */
  lapseClaim(room: string, lane: Lane): Promise<void>;
  /** The log's entries are lost, and nothing else. Absent: that can't happen. */
  evict?(room: string, topic: string): Promise<void>;
  close(): Promise<void>;
}

/** Two nodes of a room of its own. */
export interface Pair {
  readonly room: string;
  readonly one: Member;
  readonly other: Member;
  readonly host: BackplaneHost;
}

export type Cases = (pair: (name?: string) => Promise<Pair>) => void;

/** @param isSkipped what it needs is missing. */
export function describeBackplane(name: string, start: () => Promise<BackplaneHost>, isSkipped = false): void {
  describe.skipIf(isSkipped)(name, () => {
    let host: BackplaneHost;
    beforeAll(async () => void (host = await start()));
    afterAll(() => host?.close());
    const pair = async (room = `room ${word()}`): Promise<Pair> => {
      const [first, second] = host.backplanes;
      const one = await Member.join(first, room, `one ${word()}`);
      return { room, one, other: await Member.join(second, room, `other ${word()}`), host };
    };
    describe("nodes", () => {
      nodeCases(pair);
    });
    describe("the feed", () => {
      feedCases(pair);
    });
    describe("logs", () => {
      logCases(pair);
    });
    describe("sessions", () => {
      sessionCases(pair);
    });
    describe("what outlives nodes", () => {
      keptCases(pair);
    });
    describe("names", () => {
      nameCases(pair);
    });
  });
}

function nameCases(pair: (name?: string) => Promise<Pair>): void {
  test.each(["", "{", "}{", "a{b}c", "%7B", "{}", "a:b", "ü \n\0", "x".repeat(512)])("a room may be called %j", async (name) => {
    const { one, other } = await pair(name);
    const topic = `${name} topic`;
    await one.turn({
      type: "publish",
      kept: [{ topic, messages: 1, bytes: 10, seconds: 1, epoch: "e" }],
      topics: [],
      payload: "hi",
      tag: "t",
      time: 1,
    });
    const told = await other.changes(2);
    expect(told.map(({ type }) => type)).toEqual(["log", "published"]);
    expect((await other.port.page(topic, undefined, 1))?.entries).toHaveLength(1);
    await Promise.all([one.port.leave(), other.port.leave()]);
  });

  test("rooms don't hear each other", async () => {
    const [{ one }, { other }] = [await pair("{a}"), await pair("a")];
    await one.turn({ type: "publish", kept: [], topics: ["t"], payload: "for {a}", tag: "t", time: 1 });
    await other.turn({ type: "publish", kept: [], topics: ["t"], payload: "for a", tag: "t", time: 1 });
    expect(await other.changes(1)).toMatchObject([{ payload: "for a" }]);
  });
}
