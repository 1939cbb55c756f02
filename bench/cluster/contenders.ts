/** Who is compared: how a node starts, and how Redis knows that all of them listen. */
import { join } from "node:path";
import type { Redis } from "ioredis";
import { bunBinary } from "../../test/support/runtimes.ts";
import { peersFolder } from "../servers/peers.ts";

/** How many nodes there are, and how many of them have somebody in a room. */
export interface Audience {
  readonly all: number;
  readonly inRoom: number;
}

export interface Contender {
  /** In a table. */
  readonly what: string;
  readonly kind: "edgewire" | "bare" | "peer";
  readonly type: "text" | "socketio";
  /** Of a node. */
  command(url: string): readonly string[];
  /** Whether nodes hear what is published: all of them, or those that have somebody in each of these rooms. */
  listens(redis: Redis, nodes: Audience, rooms: readonly string[]): Promise<boolean>;
}

const node = process.execPath;
const own = (file: string): string => join(import.meta.dirname, "nodes", file);
const peer = (file: string): string => join(peersFolder, file);
/** A handshake of Edgewire waits until its node has joined the room. */
const joined = async (): Promise<boolean> => true;

async function subscribers(redis: Redis, command: "NUMSUB" | "SHARDNUMSUB", channels: readonly string[]): Promise<readonly number[]> {
  const answer = (await redis.call("PUBSUB", command, ...channels)) as readonly (string | number)[];
  return channels.map((_, index) => Number(answer[2 * index + 1]));
}

export const contenders: Readonly<Record<string, Contender>> = {
  edgewire: {
    what: "Edgewire with `redis(url)`, nothing kept",
    kind: "edgewire",
    type: "text",
    command: (url) => [node, own("edgewire.ts"), url],
    listens: joined,
  },
  "edgewire, kept": {
    what: "the same, and the topic keeps a history of 100 messages in Redis",
    kind: "edgewire",
    type: "text",
    command: (url) => [node, own("edgewire.ts"), url, "kept"],
    listens: joined,
  },
  "edgewire on Bun": {
    what: "Edgewire on Bun, nothing kept",
    kind: "edgewire",
    type: "text",
    command: (url) => [bunBinary, own("edgewire.ts"), url],
    listens: joined,
  },
  bare: {
    what: "`ws` and ioredis by hand: a channel a room, a plain `PUBLISH` a message; nothing kept, and nothing repaired",
    kind: "bare",
    type: "text",
    command: (url) => [node, own("bare.ts"), url],
    listens: async (redis, { inRoom }, rooms) => (await subscribers(redis, "NUMSUB", rooms)).every((count) => count === inRoom),
  },
  crossws: {
    what: "crossws's Node adapter with `sync: redis`, nothing kept",
    kind: "peer",
    type: "text",
    command: (url) => [node, peer("cluster.crossws.ts"), url],
    listens: async (redis, { all }) => (await subscribers(redis, "NUMSUB", ["bench"]))[0] === all,
  },
  "socket.io, sharded": {
    what: "Socket.IO with the sharded adapter of `@socket.io/redis-adapter`, nothing kept",
    kind: "peer",
    type: "socketio",
    command: (url) => [node, peer("cluster.socketio.ts"), url, "sharded"],
    listens: async (redis, { inRoom }, rooms) => {
      const channels = rooms.map((room) => `socket.io#/#${room}#`);
      return (await subscribers(redis, "SHARDNUMSUB", channels)).every((count) => count === inRoom);
    },
  },
  "socket.io, streams": {
    what: "Socket.IO with `@socket.io/redis-streams-adapter`, which keeps messages in one stream",
    kind: "peer",
    type: "socketio",
    command: (url) => [node, peer("cluster.socketio.ts"), url, "streams"],
    // Each node waits for the stream.
    listens: async (redis, { all }) => (await redis.info("clients")).includes(`blocked_clients:${all}\r`),
  },
};

export const defaultNames: readonly string[] = Object.keys(contenders).filter((name) => name !== "edgewire on Bun");

/** @throws Error for another name. */
export function contender(name: string): Contender {
  const found = contenders[name];
  if (found === undefined) throw new Error(`--servers ${name}: must be of ${Object.keys(contenders).join("; ")}`);
  return found;
}
