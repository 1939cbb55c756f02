/**
 * The layers of the source: what each is for, and what it may import. This is the only list: lint, docs/maintainers/architecture.svg and the table in
 * docs/maintainers/architecture.md are made from it. A new folder needs an entry here.
 */
export interface Layer {
  /** As the picture and the errors call it. */
  readonly name: string;
  /** Its folders and files. A file belongs to the layer with the longest path that it begins with. */
  readonly at: readonly string[];
  /** What it is for, in one line. */
  readonly is: string;
  /** Names of the layers that it may import. Its own files may import each other. */
  readonly may: readonly string[];
  /** Packages that it may import; one that ends with a colon stands for all that begin with it. */
  readonly packages?: readonly string[];
  /** The file to read first. */
  readonly first: string;
}

/** A floor of the core. It may import every floor below it. */
type Floor = readonly [name: string, is: string, first: string];

/** The lowest first. */
const floors: readonly Floor[] = [
  ["api", "the contract in types: handler, connection, room, options, observer, stats", "handler.ts"],
  ["ports", "what an adapter gives the core, and what it reports of a socket", ""],
  ["values", "the codec, message data, UTF-8 text, the log, small collections", "codec.ts"],
  ["time", "one schedule for everything that is due later", "schedule.ts"],
  ["protocol", "the RFCs as pure functions: handshake, origin, forwarded headers, close codes", "handshake.ts"],
  ["handler", "`defineHandler`, resolved options, counters, the error and observe hooks", "define.ts"],
  ["connection", "one connection: lifecycle, mailbox, receiving, sending, stored state", "connection.ts"],
  ["history", "one topic's log, its positions, and replay", "topic-log.ts"],
  ["rooms", "all rooms of a server: index, publish, presence, alarms, storage, capacity", "registry.ts"],
  ["server", "one server: handshakes under their deadline, heartbeat, expiry, shutdown", "server.ts"],
];

const core = floors.map(([name]) => name);
const folderOf = (name: string): string => (name === "ports" ? "src/ports.ts" : `src/${name}`);

const coreLayers: readonly Layer[] = floors.map(([name, is, first], index) => ({
  name,
  at: [folderOf(name)],
  is,
  may: core.slice(0, index),
  first: first === "" ? folderOf(name) : `${folderOf(name)}/${first}`,
}));

/** The lowest first: a layer may only import some of those before it in this list. */
export const layers: readonly Layer[] = [
  ...coreLayers,
  {
    name: "client",
    at: ["src/client"],
    is: "the reconnecting client; it loads nothing of the server",
    may: ["api", "values", "protocol"],
    first: "src/client/socket.ts",
  },
  {
    name: "messages",
    at: ["src/messages"],
    is: "typed messages: definition, frames, codec, and the client's half",
    may: ["api", "values", "protocol"],
    first: "src/messages/define.ts",
  },
  {
    name: "messages/handler",
    at: ["handler", "hooks", "pending", "streams", "asks", "index"].map((file) => `src/messages/${file}.ts`),
    is: "typed messages: the handler's half, and the public face of both",
    may: ["api", "values", "protocol", "handler", "messages"],
    first: "src/messages/handler.ts",
  },
  {
    name: "delivery/frames",
    at: ["src/delivery/frames.ts"],
    is: "delivery: the frames of both sides",
    may: ["api"],
    first: "src/delivery/frames.ts",
  },
  {
    name: "delivery/client",
    at: ["src/delivery/client"],
    is: "delivery: the client's side, without a socket or a clock",
    may: ["api", "values", "protocol", "client", "delivery/frames"],
    first: "src/delivery/client/core.ts",
  },
  {
    name: "delivery",
    at: ["src/delivery/server"],
    is: "delivery: a session, which outlives sockets, reads logs from cursors and knows what is acknowledged",
    may: [...core, "delivery/frames"],
    first: "src/delivery/server/session.ts",
  },
  {
    name: "cluster",
    at: ["src/cluster"],
    is: "a room on several nodes: the port to what they share, a node's mirror of it, and a backplane in memory",
    may: ["api", "ports", "values", "protocol", "handler", "history"],
    first: "src/cluster/cluster.ts",
  },
  {
    name: "cluster/rooms",
    at: ["src/cluster/rooms", "src/cluster/due", "src/cluster/index.ts"],
    is: "a server's rooms that span servers, and the public face of it all",
    may: [...core, "cluster"],
    first: "src/cluster/rooms/rooms.ts",
  },
  { name: "index", at: ["src/index.ts"], is: "what an application imports, and nothing else", may: core, first: "src/index.ts" },
  {
    name: "shared",
    at: ["adapters/shared"],
    is: "what several adapters use: mounted handlers, the pending upgrade, targets, signals",
    may: core,
    first: "adapters/shared/mounted-handlers.ts",
  },
  {
    name: "node/http",
    at: ["adapters/node/http"],
    is: "Node's HTTP: requests, answers, sockets, pipelined handshakes",
    may: [...core, "shared"],
    packages: ["node:"],
    first: "adapters/node/http/pipelining.ts",
  },
  {
    name: "node/ws",
    at: ["adapters/node/ws"],
    is: "`ws` as the core's socket: frames, the outbox, events",
    may: [...core, "shared", "node/http"],
    packages: ["node:", "ws"],
    first: "adapters/node/ws/events.ts",
  },
  {
    name: "node",
    at: ["adapters/node"],
    is: "`serve` and `attach` on Node",
    may: [...core, "shared", "node/http", "node/ws"],
    packages: ["node:", "@hono/node-server"],
    first: "adapters/node/handshake.ts",
  },
  {
    name: "workers",
    at: ["adapters/workers"],
    is: "a plain Worker, and the Worker in front of Durable Objects",
    may: [...core, "shared"],
    first: "adapters/workers/route.ts",
  },
  {
    name: "durable",
    at: ["adapters/durable"],
    is: "the Durable Object that is a room; `dev/` watches it in development",
    may: [...core, "shared", "workers"],
    packages: ["cloudflare:"],
    first: "adapters/durable/host.ts",
  },
  { name: "deno", at: ["adapters/deno"], is: "`serve` on Deno", may: [...core, "shared"], first: "adapters/deno/index.ts" },
  {
    name: "bun",
    at: ["adapters/bun"],
    is: "`serve` on Bun, with Bun's own topics for fan-out",
    may: [...core, "shared"],
    first: "adapters/bun/index.ts",
  },
  {
    name: "memory",
    at: ["adapters/memory"],
    is: "a server and clients in memory, with a clock that a test moves",
    may: [...core, "shared"],
    first: "adapters/memory/index.ts",
  },
  {
    name: "sqlite",
    at: ["adapters/sqlite"],
    is: "a file that keeps the rooms of Node, Bun and Deno, and the gate before their sockets",
    may: [...core, "shared"],
    first: "adapters/sqlite/database.ts",
  },
  {
    name: "redis",
    at: ["adapters/redis"],
    is: "a backplane in Redis, by ioredis or node-redis; `lua/` is what Redis does in one step",
    may: [...core, "cluster", "cluster/rooms"],
    first: "adapters/redis/room.ts",
  },
  {
    name: "msgpack",
    at: ["adapters/msgpack"],
    is: "MessagePack as a codec of typed messages",
    may: ["messages", "messages/handler"],
    packages: ["msgpackr"],
    first: "adapters/msgpack/index.ts",
  },
  {
    name: "opentelemetry",
    at: ["adapters/opentelemetry"],
    is: "an observer that writes OpenTelemetry's metrics and spans",
    may: core,
    packages: ["@opentelemetry/api"],
    first: "adapters/opentelemetry/index.ts",
  },
  {
    name: "react",
    at: ["adapters/react"],
    is: "React's hooks over the client and its messages",
    may: ["client", "messages"],
    packages: ["react"],
    first: "adapters/react/connection.ts",
  },
  {
    name: "hono",
    at: ["adapters/hono"],
    is: "Hono's middleware that upgrades, on every runtime",
    may: [...core, "shared"],
    packages: ["hono"],
    first: "adapters/hono/index.ts",
  },
];

export function layerOf(file: string): Layer | undefined {
  let found: Layer | undefined;
  let longest = 0;
  for (const layer of layers) {
    for (const path of layer.at) {
      if (path.length <= longest || (file !== path && !file.startsWith(`${path}/`))) continue;
      found = layer;
      longest = path.length;
    }
  }
  return found;
}

/** Where files may import each other in a circle: a connection has a room, and a room has connections. */
export const circular = "src/api/";

/** Lines of a file, and files of a folder. */
export const most = { lines: 250, files: 18 };

/** Longer files and larger folders, each with its own limit and the reason. */
export const exceptions: Readonly<Record<string, { readonly most: number; readonly why: string }>> = {
  "src/connection/connection.ts": { most: 375, why: "one object with all fields: its members only call the modules" },
  "src/server/server.ts": { most: 375, why: "puts the parts of a server together, and is the port that adapters call" },
  "src/ports.ts": { most: 290, why: "all that an adapter gives and is given, in one place" },
  "src/delivery/server/session.ts": { most: 420, why: "one reader: what it is sent depends on all of its state" },
  "src/delivery/server/sessions.ts": { most: 510, why: "puts the sessions of a server together" },
  "src/delivery/server/line.ts": {
    most: 385,
    why: "one connection that outlives its sockets: its sides are modules, its coming and going is here",
  },
  "src/client/socket.ts": { most: 280, why: "one class, whose private fields its members share: splitting it costs every page bytes" },
  "src/rooms/registry.ts": { most: 375, why: "puts the parts of the rooms together" },
  "src/cluster": { most: 19, why: "the port's types and the core that uses them: each file is one part of a node's room" },
  "src/cluster/cluster.ts": { most: 275, why: "a node's whole life in a room: joining, turns and reports know each other" },
  "src/cluster/rooms/node-room.ts": { most: 375, why: "one room on this node: what the backplane tells, and to whom it is passed on" },
  "src/cluster/rooms/sessions.ts": { most: 440, why: "the sessions of a room: claims, turns and ends depend on each other" },
  "src/cluster/rooms/rooms.ts": { most: 440, why: "puts the rooms of a server that span servers together" },
  "src/rooms": { most: 20, why: "each file is one part of the rooms, and the registry puts them together" },
  "src/delivery/server": { most: 25, why: "each file is one part of a session, and all of them know it" },
  "bench/servers": { most: 23, why: "a file for each server and runtime" },
};
