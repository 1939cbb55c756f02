/** One comparison: a runtime, and a mode with its numbers. */
import type { Runtime } from "../servers/contenders.ts";
import { runtimes } from "../servers/contenders.ts";

export const modes = ["echo", "latency", "fanout", "connect", "idle", "slow", "wake"] as const;
export type Mode = (typeof modes)[number];

export interface Comparison {
  readonly runtime: Runtime;
  readonly mode: Mode;
  /** Subscribers in `fanout`, readers in `slow`, sockets in `wake`; `connect` has as many as are under way. */
  readonly connections: number;
  /** Messages on the way: of each connection in `echo`, publishes in `fanout`; in `connect` handshakes. */
  readonly inflight: number;
  /** Of a message. */
  readonly bytes: number;
  readonly type: "text" | "binary";
}

export type Numbers = Omit<Comparison, "runtime" | "mode">;

const defaults: Readonly<Record<Mode, Partial<Numbers>>> = {
  echo: { connections: 64, inflight: 8 },
  latency: { connections: 1 },
  fanout: { connections: 1000 },
  connect: { inflight: 64 },
  idle: { connections: 8000 },
  slow: { connections: 1000, bytes: 256 * 1024 },
  wake: { connections: 10_000 },
};

export function comparison(runtime: Runtime, mode: Mode, given: Partial<Numbers> = {}): Comparison {
  return { runtime, mode, connections: 64, inflight: 1, bytes: 32, type: "text", ...defaults[mode], ...given };
}

/** Why there is nothing to compare; undefined where there is. */
export function impossible(runtime: Runtime, mode: Mode): string | undefined {
  if ((mode === "fanout" || mode === "slow") && runtime === "workers") {
    return "a plain Worker's socket belongs to the request that accepted it: nothing else can send to it, and rooms need a Durable Object";
  }
  if (mode === "wake" && runtime !== "durable") return "only a Durable Object hibernates";
  return undefined;
}

/** In its result's file name, and nowhere twice. */
export function keyOf({ runtime, ...rest }: Comparison): string {
  return `${runtime}-${subjectKey(rest)}`;
}

/** What is compared, whatever the runtime: a chart and a table. */
export function subjectKey({ mode, connections, inflight, bytes, type }: Omit<Comparison, "runtime">): string {
  switch (mode) {
    case "echo":
      return `echo-${bytes}-${type}-${connections}x${inflight}`;
    case "latency":
      return `latency-${bytes}-${type}`;
    case "fanout":
      return `fanout-${connections}x${inflight}-${bytes}-${type}`;
    case "connect":
      return `connect-${inflight}`;
    default:
      return `${mode}-${connections}`;
  }
}

export function titleOf({ mode, connections, inflight, bytes, type }: Omit<Comparison, "runtime">): string {
  const size = bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
  switch (mode) {
    case "echo":
      return `Echo: ${size} ${type}, ${connections} connections, ${inflight} in flight on each`;
    case "latency":
      return `Round trip: ${size} ${type}, ${connections === 1 ? "one connection" : `${connections} connections`}, one at a time`;
    case "fanout":
      return `Fan-out: ${size} ${type} to ${connections.toLocaleString("en")} subscribers, ${inflight === 1 ? "one publish" : `${inflight} publishes`} at a time`;
    case "connect":
      return `Connect: handshake and close, ${inflight} at once`;
    case "idle":
      return `Idle: memory of ${connections.toLocaleString("en")} connections`;
    case "slow":
      return `Slow reader: one that never reads, among ${connections.toLocaleString("en")} that do`;
    case "wake":
      return `Wake: a hibernated object with ${connections.toLocaleString("en")} sockets`;
  }
}

/** All that docs/maintainers/performance.md shows. The order is that of its sections. */
export function suite(): readonly Comparison[] {
  const subjects: readonly (readonly [Mode, Partial<Numbers>])[] = [
    ["echo", {}],
    ["echo", { inflight: 1 }],
    ["echo", { inflight: 1, connections: 9000 }],
    ["echo", { inflight: 1, type: "binary" }],
    ["echo", { inflight: 1, bytes: 1024 }],
    ["echo", { inflight: 1, bytes: 1024, type: "binary" }],
    ["echo", { inflight: 1, bytes: 16_384 }],
    ["echo", { inflight: 1, bytes: 16_384, type: "binary" }],
    ["echo", { inflight: 1, bytes: 65_536 }],
    ["echo", { inflight: 1, bytes: 65_536, type: "binary" }],
    ["latency", {}],
    ["fanout", {}],
    ["fanout", { connections: 100, inflight: 16 }],
    ["connect", {}],
    ["idle", {}],
    ["slow", {}],
    ["wake", {}],
  ];
  return subjects.flatMap(([mode, numbers]) => {
    return runtimes.filter((runtime) => impossible(runtime, mode) === undefined).map((runtime) => comparison(runtime, mode, numbers));
  });
}
