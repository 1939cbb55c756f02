/** What the measurements of the core alone share: a socket, a connection's snapshot, and cases that run in turns. */
import type { Snapshot, Socket } from "../../src/ports.ts";

const methods: Socket = { buffered: 0, send: () => "sent", close() {}, terminate() {} };

/** Takes everything, and keeps nothing. All share their functions, which would otherwise be counted with each connection. */
export function sink(): Socket {
  return { ...methods };
}

export function snapshotOf(id: string, room = "bench"): Snapshot {
  return {
    id,
    room,
    url: "http://localhost/",
    protocol: "",
    remoteAddress: "",
    version: 0,
    state: undefined,
    topics: [],
    phase: "open",
  };
}

export interface Measurement {
  readonly rounds: number;
  /** In each round, of each case. */
  readonly messages: number;
  /** Milliseconds that have passed, or were spent. */
  now(): number;
}

/** Nanoseconds of each case, the least of its rounds. The cases run in turns, so that other load on the machine affects all of them. */
export function measure(cases: Readonly<Record<string, () => void>>, { rounds, messages, now }: Measurement): ReadonlyMap<string, number> {
  const least = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(cases)) {
      const begin = now();
      for (let message = 0; message < messages; message++) run();
      const took = ((now() - begin) * 1e6) / messages;
      least.set(name, Math.min(took, least.get(name) ?? took));
    }
  }
  return least;
}
