/** `Cluster` over a backplane in memory, step by step: what the simulation does not name. */
import { describe, expect, test } from "vitest";
import type { Receiver, RoomBackplane } from "../../src/cluster/backplane.ts";
import { merge } from "../../src/cluster/catch-up.ts";
import { Cluster } from "../../src/cluster/cluster.ts";
import { BackplaneError } from "../../src/cluster/error.ts";
import { FeedPlace } from "../../src/cluster/feed-place.ts";
import type { Present, Published } from "../../src/cluster/feed.ts";
import type { ClusterHost } from "../../src/cluster/host.ts";
import { memoryBackplane } from "../../src/cluster/index.ts";
import type { Question } from "../../src/cluster/mail.ts";
import type { MemoryBackplane } from "../../src/cluster/memory/index.ts";
import type { Publish, Turn } from "../../src/cluster/turns.ts";
import type { TurnFate } from "../../src/cluster/turn-queue.ts";

const limits = { lease: 5000, patience: 1000, maxPending: 1000, report: 1000, counts: 1000, timeout: 1500, late: 500, maxFrames: 100 };

let words = 0;

class Node implements ClusterHost {
  readonly name: string;
  readonly cluster: Cluster;
  readonly told: string[] = [];
  readonly messages: unknown[] = [];
  time = 0;
  subscribers = new Map<string, number>();

  constructor(
    name: string,
    backplane: MemoryBackplane,
    between = (port: RoomBackplane): RoomBackplane => port,
    hearing = (receiver: Receiver): Receiver => receiver,
  ) {
    this.name = name;
    this.cluster = new Cluster(name, (receiver: Receiver) => between(backplane.room("room", name, hearing(receiver))), this, limits);
  }

  now = (): number => this.time;
  random = (): string => (++words).toString(36);
  counts = (): { connections: number; topics: Map<string, number> } => ({ connections: 1, topics: this.subscribers });
  live = (): void => void this.told.push("live");
  rewound = (): void => void this.told.push("rewound");
  expelled = (): void => void this.told.push("expelled");
  began = (): void => {};
  replaced = (): void => {};
  held = (): [] => [];
  own = (): void => {};
  taken = (session: string): void => void this.told.push(`taken ${session}`);
  orphan = (): void => {};
  asked = ({ id }: Question): void => void this.told.push(`asked ${id}`);
  message = (connection: string, payload: unknown): void => void this.messages.push([connection, payload]);
  published = ({ payload }: Published): void => void this.told.push(String(payload));
  presence = (id: string, present: Present | undefined): void => void this.told.push(`${id} ${present === undefined ? "left" : "came"}`);

  turn(turn: Turn): Promise<TurnFate> {
    const { promise, resolve } = Promise.withResolvers<TurnFate>();
    this.cluster.turn(turn, resolve);
    return promise;
  }
}

function publish(payload: string, topic = "a"): Publish {
  const kept = [{ topic, messages: 3, bytes: 1000, seconds: 60, epoch: `e${topic}` }];
  return { type: "publish", kept, topics: [], payload, tag: (++words).toString(36), time: 0 };
}

/** Everything that is under way in memory has arrived. */
async function quiet(): Promise<void> {
  for (let left = 50; left > 0; left--) await undefined;
}

describe("nodes of one process", () => {
  test("a frame that comes late, because the process was busy, is not lost: not even what no log keeps", async () => {
    const backplane = memoryBackplane();
    let held: (() => void)[] | undefined;
    const one = new Node("one", backplane, undefined, (receiver) => ({
      frame: (frame) => void (held === undefined ? receiver.frame(frame) : held.push(() => receiver.frame(frame))),
      notice: (frame) => receiver.notice(frame),
      cut: () => receiver.cut(),
    }));
    await quiet();
    held = [];
    const plain = { ...publish("not kept"), kept: [], topics: ["plain"] };
    void one.turn({ steps: [plain] });
    void one.turn({ steps: [publish("kept")] });
    await quiet();
    // Its own turns are carried out, and their frames do not come: it begins to read what it may lack.
    one.time += limits.late;
    one.cluster.tick();
    expect(one.cluster.state).toBe("behind");
    for (const hear of held) hear();
    held = undefined;
    await quiet();
    expect(one.told).toEqual(["live", "not kept", "kept"]);
    expect(one.cluster.state).toBe("live");
    await one.turn({ steps: [publish("after")] });
    await quiet();
    expect(one.told).toEqual(["live", "not kept", "kept", "after"]);
  });

  test("a publish reaches the subscribers of both when the feed brings it, in one order", async () => {
    const backplane = memoryBackplane();
    const [one, other] = [new Node("one", backplane), new Node("other", backplane)];
    await quiet();
    void one.turn({ steps: [publish("1")] });
    void other.turn({ steps: [publish("2"), publish("3", "b")] });
    expect(one.told).toEqual(["live"]);
    await quiet();
    expect(one.told).toEqual(["live", "1", "2", "3"]);
    expect(other.told).toEqual(one.told);
    expect(one.cluster.logs.get("a")?.position).toBe(other.cluster.logs.get("a")?.position);
  });

  test("a node that joins later has what is kept, who is present, and the counts", async () => {
    const backplane = memoryBackplane();
    const one = new Node("one", backplane);
    one.subscribers = new Map([["a", 7]]);
    await quiet();
    const steps = ["1", "2", "3", "4"].map((text) => publish(text));
    void one.turn({ steps: [...steps, { type: "present", present: { id: "c1", node: "one", member: "m", state: "" } }] });
    await quiet();
    const other = new Node("other", backplane);
    await quiet();
    expect(other.told).toEqual(["c1 came", "live"]);
    expect(other.cluster.logs.get("a")?.entries.map(({ payload }) => payload)).toEqual(["2", "3", "4"]);
    expect([other.cluster.elsewhere(), other.cluster.elsewhere("a"), other.cluster.elsewhere("b")]).toEqual([1, 7, 0]);
    one.cluster.leave();
    await quiet();
    expect(other.told.at(-1)).toBe("c1 left");
    expect(other.cluster.elsewhere("a")).toBe(0);
  });

  test("a log keeps no more than its bytes, and its last entry however large it is", async () => {
    const backplane = memoryBackplane();
    const node = new Node("one", backplane);
    await quiet();
    const kept = (): unknown => node.cluster.logs.get("a")?.entries.map(({ payload }) => String(payload).length);
    await node.turn({ steps: [publish("x".repeat(600)), publish("x".repeat(400))] });
    await quiet();
    expect(kept()).toEqual([600, 400]);
    await node.turn({ steps: [publish("x")] });
    await quiet();
    expect(kept()).toEqual([400, 1]);
    await node.turn({ steps: [publish("x".repeat(2000))] });
    await quiet();
    expect(kept()).toEqual([2000]);
  });

  test("a message to a connection of another node goes to that node alone, and nowhere if it is gone", async () => {
    const backplane = memoryBackplane();
    const [one, other] = [new Node("one", backplane), new Node("other", backplane)];
    await quiet();
    void one.turn({ steps: [{ type: "message", node: "other", connection: "c9", payload: "hi" }] });
    void one.turn({ steps: [{ type: "message", node: "gone", connection: "c9", payload: "hi" }] });
    await quiet();
    expect([one.messages, other.messages]).toEqual([[], [["c9", "hi"]]]);
  });

  test("of two nodes that ran one message the first counts, and the second is told who holds the session", async () => {
    const backplane = memoryBackplane();
    const [one, other] = [new Node("one", backplane), new Node("other", backplane)];
    await quiet();
    await one.turn({ condition: { type: "create", session: "s", snapshot: "", epoch: "o" }, steps: [] });
    const claim = { type: "claim", session: "s", acknowledged: 0 } as const;
    expect(await other.turn({ condition: claim, steps: [] })).toMatchObject({ type: "done", claimed: { isSame: false } });
    const message = { type: "message", session: "s", number: 1 } as const;
    expect(await other.turn({ condition: message, steps: [publish("other")] })).toEqual({ type: "done" });
    const late = await one.turn({ condition: message, steps: [publish("one")] });
    expect(late).toEqual({ type: "refused", why: "acknowledged", acknowledged: 1, holder: "other" });
    expect(one.told).toEqual(["live", "taken s", "other"]);
  });
});

describe("a backplane that does not answer", () => {
  /** Requests fail while it is away. */
  function switchable(): { isAway: boolean; between(port: RoomBackplane): RoomBackplane } {
    return {
      isAway: false,
      between(port) {
        const turns: RoomBackplane["turns"] = (batch) => (this.isAway ? Promise.reject(new Error("away")) : port.turns(batch));
        return { ...port, turns };
      },
    };
  }

  test("turns wait, and are carried out once it is back", async () => {
    const power = switchable();
    const node = new Node("one", memoryBackplane(), (port) => power.between(port));
    await quiet();
    power.isAway = true;
    const fate = node.turn({ steps: [publish("1")] });
    await quiet();
    power.isAway = false;
    node.time += 200;
    node.cluster.tick();
    expect(await fate).toEqual({ type: "done" });
    expect(node.told).toEqual(["live", "1"]);
  });

  test("a turn that finds too much waiting, or for too long, throws a BackplaneError", async () => {
    const power = switchable();
    const node = new Node("one", memoryBackplane(), (port) => power.between(port));
    await quiet();
    power.isAway = true;
    const turn = (payload: string): void => node.cluster.turn({ steps: [publish(payload)] }, () => {});
    turn("x".repeat(600));
    expect(node.cluster.takes).toBe(true);
    turn("x".repeat(600));
    expect(node.cluster.takes).toBe(false);
    expect(() => turn("x")).toThrow(BackplaneError);
    expect(() => turn("x")).toThrow(/the backplane takes nothing more: \d+ bytes wait for it/);
    const patient = new Node("two", memoryBackplane(), (port) => power.between(port));
    await quiet();
    patient.cluster.turn({ steps: [] }, () => {});
    patient.time += 1001;
    expect(() => patient.cluster.turn({ steps: [] }, () => {})).toThrow("it has not answered for 1001 ms");
  });

  test("a node that was silent for longer than its lease is expelled, and its turns are not carried out", async () => {
    let now = 0;
    const backplane = memoryBackplane({ lease: 5000, now: () => now });
    const [one, other] = [new Node("one", backplane), new Node("other", backplane)];
    await quiet();
    now = other.time = 6000;
    other.cluster.tick();
    await quiet();
    // The same step that found it dead found this one so too: whoever comes first is left.
    expect(other.told).toContain("expelled");
    const fate = await one.turn({ steps: [publish("late")] });
    expect(fate).toEqual({ type: "lost", sent: true });
    expect([one.told.at(-1), one.cluster.state]).toEqual(["expelled", "over"]);
    expect(await one.turn({ steps: [] })).toEqual({ type: "lost", sent: false });
  });
});

test("a feed is followed by number and tag", () => {
  const feed = new FeedPlace();
  feed.reset({ number: 5, tag: "e" });
  const frame = (number: number, tag: string, before: string) => ({ number, tag, before, items: [] });
  expect(feed.placeOf(frame(6, "f", "e"))).toBe("next");
  expect(feed.placeOf(frame(6, "f", "x"))).toBe("other");
  expect(feed.placeOf(frame(7, "g", "f"))).toBe("missing");
  feed.take({ number: 6, tag: "f" });
  expect(feed.placeOf(frame(6, "f", "e"))).toBe("repeated");
  expect(feed.placeOf(frame(6, "x", "e"))).toBe("other");
  expect(feed.placeOf(frame(4, "d", "c"))).toBe("repeated");
  expect(feed.compare({ number: 6, tag: "f" }, 6)).toBe("same");
  expect(feed.compare({ number: 5, tag: "e" }, 5)).toBe("same");
  expect(feed.compare({ number: 5, tag: "e" }, 6)).toBe("other");
  expect(feed.compare({ number: 6, tag: "x" }, 6)).toBe("other");
  expect(feed.compare({ number: 9, tag: "i" }, 6)).toBe("missing");
  for (let number = 7; number < 400; number++) feed.take({ number, tag: String(number) });
  expect(feed.placeOf(frame(399, "399", "398"))).toBe("repeated");
  expect(feed.placeOf(frame(200, "x", "x"))).toBe("other");
  expect(feed.placeOf(frame(7, "x", "x"))).toBe("repeated");
});

test("entries of several logs are put into one order, and one that is in several comes once", () => {
  const entry = (offset: number, tag: string) => ({ offset, tag, payload: tag, time: 0 });
  const lists = [
    ["a", [entry(1, "x"), entry(2, "xy"), entry(3, "z")]],
    ["b", [entry(7, "y"), entry(8, "xy")]],
    ["c", [entry(4, "xy"), entry(5, "w")]],
  ] as const;
  const merged = merge(lists);
  expect(merged.map(({ entry: { tag } }) => tag)).toEqual(["x", "y", "xy", "z", "w"]);
  expect(merged[2]?.places).toEqual([
    { topic: "a", offset: 2 },
    { topic: "b", offset: 8 },
    { topic: "c", offset: 4 },
  ]);
});
