/** What scripts answer, and what the feed brings. */
import type { BatchAnswer, Joined, LogState, Page, Refusal, Reported, StoredEntry } from "../../src/cluster/backplane.ts";
import type { Change, Frame, Head, NodeCounts, Notice, Present, Published } from "../../src/cluster/feed.ts";
import type { OwnAnswer, OwnAnswers, TurnRefused, TurnResult } from "../../src/cluster/turns.ts";
import type { LogEntry } from "../../src/history/readable.ts";
import { Reader } from "./codec.ts";

const mark = "!".charCodeAt(0);

/** A refusal, or what is read. */
export function orRefusal<Answer>(bytes: Uint8Array, read: (reader: Reader) => Answer): Answer | Refusal {
  if (bytes[0] !== mark) return read(new Reader(bytes));
  return bytes[1] === "e".charCodeAt(0) ? "expelled" : "other";
}

export function readFrame<Item>(bytes: Uint8Array, item: (reader: Reader) => Item): Frame<Item> {
  const reader = new Reader(bytes);
  return { ...readHead(reader), before: reader.text(), items: reader.list(item) };
}

function readHead(reader: Reader): Head {
  return { number: reader.number(), tag: reader.text() };
}

function readFlag(reader: Reader): boolean {
  return reader.text() === "1";
}

// ---- The feed

export function readChange(reader: Reader): Change {
  const type = reader.text();
  switch (type) {
    case "published":
      return readPublished(reader);
    case "log":
      return { type, topic: reader.text(), number: reader.number(), epoch: reader.text() };
    case "present":
      return { type, present: readPresent(reader) };
    case "absent":
      return { type, id: reader.text() };
    case "counts":
      return { type, counts: readCounts(reader) };
    case "gone":
      return { type, node: reader.text() };
    case "asked":
      return { type, question: { id: reader.text(), from: reader.text(), body: reader.text() } };
    default:
      throw unknown(type);
  }
}

function readPublished(reader: Reader): Published {
  const entries = reader.list(() => ({ topic: reader.text(), offset: reader.number(), first: reader.number() }));
  const message = readMessage(reader);
  const audience = reader.reader();
  const all = readFlag(audience);
  const [key, to] = [audience.text(), audience.text()];
  const topics = audience.list(() => audience.text());
  return {
    type: "published",
    entries,
    all,
    key: key === "" ? undefined : key.slice(1),
    to: to === "" ? undefined : to.slice(1),
    topics,
    ...message,
  };
}

function readMessage(reader: Reader): Pick<Published, "tag" | "time" | "payload" | "except"> {
  const message = reader.reader();
  const [tag, time] = [message.text(), message.number()];
  // How much it counts: for the script.
  message.text();
  return { tag, time, payload: message.data(), except: readExcept(message) };
}

function readExcept(reader: Reader): LogEntry["except"] {
  const text = reader.text();
  if (text === "") return undefined;
  if (text.startsWith("i")) return text.slice(1);
  const ids = new Reader(encoder.encode(text.slice(1)));
  return new Set(ids.list(() => ids.text()));
}

const encoder = new TextEncoder();

function readPresent(reader: Reader): Present {
  const id = reader.text();
  const rest = reader.reader();
  const node = rest.text();
  const session = rest.text();
  return { id, node, ...(session === "" ? {} : { session: session.slice(1) }), member: rest.text(), state: rest.text() };
}

function readCounts(reader: Reader): NodeCounts {
  const node = reader.text();
  const counts = reader.reader();
  return { node, connections: counts.number(), topics: new Map(counts.list(() => [counts.text(), counts.number()] as const)) };
}

export function readNotice(reader: Reader): Notice {
  const type = reader.text();
  switch (type) {
    case "own":
      return { type, session: reader.text(), entry: readEntry(reader) };
    case "taken":
      return { type, session: reader.text() };
    case "message":
      return { type, connection: reader.text(), payload: reader.data() };
    default:
      throw unknown(type);
  }
}

/** Of a session's own log. */
function readEntry(reader: Reader): LogEntry {
  const entry = reader.reader();
  const place = { offset: entry.number(), tag: entry.text(), payload: entry.data() };
  const except = readExcept(entry);
  const epoch = entry.text();
  return { ...place, ...(except === undefined ? {} : { except }), ...(epoch === "" ? {} : { epoch: epoch.slice(1) }) };
}

// ---- Answers

export function readJoined(reader: Reader): Joined {
  return {
    life: reader.text(),
    feed: readHead(reader),
    notices: readHead(reader),
    batch: reader.number(),
    logs: reader.list(readLog),
    present: reader.list(readPresent),
    counts: reader.list(readCounts),
  };
}

function readLog(reader: Reader): LogState {
  return { topic: reader.text(), number: reader.number(), epoch: reader.text(), last: { offset: reader.number(), tag: reader.text() } };
}

/** Undefined if there is no such log. */
export function readPage(bytes: Uint8Array): Page | undefined {
  if (bytes.length === 0) return undefined;
  const reader = new Reader(bytes);
  const epoch = reader.text();
  const known = readFlag(reader);
  const before = { offset: reader.number(), tag: reader.text() };
  let offset = reader.number();
  const entries = reader.list((): StoredEntry => ({ offset: ++offset, ...readMessage(reader) }));
  return { epoch, known, before, entries };
}

export function readBatchAnswer(reader: Reader): BatchAnswer {
  return { feed: readHead(reader), results: reader.list(readResult) };
}

function readResult(reader: Reader): TurnResult {
  const type = reader.text();
  switch (type) {
    case "done":
      return { type };
    case "ended":
      return { type: "done", acknowledged: reader.number() };
    case "claimed":
      return readClaimed(reader);
    case "refused":
      return readRefused(reader);
    default:
      throw unknown(type);
  }
}

function readClaimed(reader: Reader): TurnResult {
  const [snapshot, acknowledged, epoch] = [reader.text(), reader.number(), reader.text()];
  const [isSame, notices] = [readFlag(reader), reader.number()];
  const own = reader.list(readEntry);
  return { type: "done", claimed: { record: { snapshot, acknowledged, epoch, own }, isSame, notices } };
}

function readRefused(reader: Reader): TurnRefused {
  const why = reader.text() as TurnRefused["why"];
  const [acknowledged, holder] = [reader.text(), reader.text()];
  return { type: "refused", why, ...(acknowledged === "" ? {} : { acknowledged: Number(acknowledged), holder }) };
}

export function readReported(reader: Reader): Reported {
  return {
    feed: readHead(reader),
    notices: readHead(reader),
    batch: reader.number(),
    held: reader.number(),
    orphans: reader.list(() => reader.text()),
  };
}

export function readOwn(bytes: Uint8Array): OwnAnswers {
  const reader = new Reader(bytes);
  return { notices: readHead(reader), answers: reader.list(readOwnAnswer), others: reader.list(() => reader.text()) };
}

function readOwnAnswer(reader: Reader): OwnAnswer {
  return { session: reader.text(), isHeld: readFlag(reader), entries: reader.list(readEntry) };
}

function unknown(type: string): Error {
  return new Error(`redis: unknown ${type}: are all nodes of one version of Edgewire? [EW419]`);
}
