/** What a family of connections puts its plan together with. */
import type { Listener } from "../support/runtimes.ts";
import type { Action, Cause } from "./plan.ts";
import type { Random } from "./random.ts";

/** One kind of connection. */
export type Family = (build: Build) => void;

export class Build {
  readonly random: Random;
  readonly number: number;
  readonly tag: string;
  readonly listeners: readonly Listener[];
  on: Listener = "main";
  answersClose = true;
  broken = false;
  frames = 0;
  actions: Action[] = [];

  constructor(random: Random, number: number, tag: string, listeners: readonly Listener[]) {
    this.random = random;
    this.number = number;
    this.tag = tag;
    this.listeners = listeners;
  }

  /** The request target of a handshake: a few rooms, in which these connections may annoy each other. */
  target(scripts: Record<string, unknown> = {}, tag: string = this.tag): string {
    const query = new URLSearchParams({ tag, peer: String(this.number), room: `${this.tag}-${this.random.int(0, 3)}` });
    for (const [hook, script] of Object.entries(scripts)) query.set(hook, JSON.stringify(script));
    return `/?${query}`;
  }

  add(action: Action): void {
    this.actions.push(action);
  }

  /** In one piece, or in several at random. */
  write(what: string, bytes: Buffer): void {
    const { random } = this;
    const cuts = random.chance(0.3) ? Array.from({ length: random.int(1, 3) }, () => random.int(0, bytes.length)) : [];
    let from = 0;
    for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
      if (to > from) this.add({ type: "write", what, bytes: bytes.subarray(from, to) });
      from = to;
      if (to < bytes.length && random.chance(0.5)) this.pause(5);
    }
  }

  pause(atMost: number): void {
    this.add({ type: "wait", milliseconds: this.random.int(0, atMost) });
  }

  expect(text: string): void {
    this.add({ type: "expect", text });
  }

  ended(cause: Cause): void {
    this.add({ type: "ended", cause });
  }

  /** Leaves without a close frame: a reset, a FIN with all that was sent before it, or a FIN and what the server does then. */
  leave(cause: Cause): void {
    if (this.random.chance(0.5)) this.pause(20);
    if (this.random.chance(0.4)) return this.add({ type: "reset" });
    this.add({ type: "fin" });
    if (this.random.chance(0.2)) return this.add({ type: "reset" });
    this.ended(cause);
  }
}
