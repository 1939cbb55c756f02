/**
 * Faults that are planted, one at a time, in the code or in what surrounds it: the checker must find each. Found once, with the kind and the seed that
 * shows it (`node test/delivery/campaign.ts --bugs` looks for them).
 */
import { Arrivals } from "../../src/delivery/server/arrivals.ts";
import type { Arrival } from "../../src/delivery/server/arrivals.ts";
import { Cursors, type Begun, type Cursor } from "../../src/delivery/client/cursors.ts";
import { OutgoingMessages } from "../../src/delivery/client/outgoing.ts";
import { Flow } from "../../src/delivery/server/flow.ts";
import { OwnLog } from "../../src/delivery/server/own-log.ts";
import { Reading } from "../../src/delivery/server/reading.ts";
import type { Gap } from "../../src/delivery/server/reading.ts";
import { Session } from "../../src/delivery/server/session.ts";
import type { LogEntry } from "../../src/history/readable.ts";

import { parsePosition } from "../../src/protocol/positions.ts";
import { SimulatedLog } from "./log.ts";
import type { Faults } from "./simulation.ts";

export interface Bug {
  readonly name: string;
  readonly kind: string;
  readonly seed: number;
  /** Faults of the server around a session. */
  readonly faults?: Faults;
  /** Replaces methods; returns what puts them back. */
  plant?(): () => void;
}

/** Replaces a method or a getter. */
function replace<T extends object>(
  prototype: T,
  name: keyof T & string,
  make: (original: PropertyDescriptor) => PropertyDescriptor,
): () => void {
  const original = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  Object.defineProperty(prototype, name, { configurable: true, ...make(original) });
  return () => void Object.defineProperty(prototype, name, original);
}

/** Runs after the method, and may change what it returns. */
function after<T extends object, Result, Args extends unknown[]>(
  prototype: T,
  name: keyof T & string,
  then: (self: T, result: Result, ...args: Args) => unknown,
): () => void {
  return replace(prototype, name, ({ value }) => ({
    value(this: T, ...args: Args) {
      return then(this, Reflect.apply(value as (...given: Args) => Result, this, args), ...args);
    },
  }));
}

const offsetAlone = (log: { readonly head: number; before(): string }, position: string): number | undefined => {
  const offset = parsePosition(position)?.offset ?? -1;
  return offset >= (parsePosition(log.before())?.offset ?? 0) && offset <= log.head ? offset : undefined;
};

type Page = ReturnType<Reading["page"]>;

export const bugs: readonly Bug[] = [
  {
    name: "one entry is skipped at a return",
    kind: "cuts",
    seed: 1,
    plant: () =>
      after(Reading.prototype, "resume", (self, gap: Gap | undefined) => {
        if (gap === undefined && self.offset < self.held.log.head && self.held.number > 0) self.offset++;
        return gap;
      }),
  },
  {
    name: "live before the replay",
    kind: "cuts",
    seed: 1,
    plant: () => after(Reading.prototype, "resume", (self, gap: Gap | undefined) => ((self.offset = self.held.log.head), gap)),
  },
  {
    name: "a position is an offset alone",
    kind: "lost ends",
    seed: 4,
    plant: () =>
      replace(SimulatedLog.prototype, "offsetOf", () => ({
        value(this: SimulatedLog, position: string) {
          return offsetAlone(this, position);
        },
      })),
  },
  { name: "acknowledged before it is stored", kind: "crashes", seed: 1, faults: { acknowledgesEarly: true } },
  { name: "acknowledgements are in memory", kind: "crashes", seed: 1, faults: { forgetsAcknowledged: true } },
  {
    name: "a message that comes again runs again",
    kind: "cuts",
    seed: 1,
    plant: () => after(Session.prototype, "arrived", (_self, arrival: Arrival) => (arrival === "repeated" ? "next" : arrival)),
  },
  {
    name: "a gap is not told",
    kind: "cuts",
    seed: 3,
    // Otherwise the client asks for what is missing, and is told then.
    plant: () => {
      const first = after(Reading.prototype, "page", (self, page: Page) => {
        if (page !== "old") return page;
        self.skip();
        return [];
      });
      const second = after(Reading.prototype, "resume", () => undefined);
      return () => {
        first();
        second();
      };
    },
  },
  {
    name: "a slow reader misses what does not fit",
    kind: "cuts",
    seed: 1,
    plant: () =>
      replace(Session.prototype, "published", ({ value }) => ({
        value(this: Session, ...given: never) {
          return this.waiting > 300 ? false : Reflect.apply(value as () => boolean, this, given);
        },
      })),
  },
  { name: "no window", kind: "cuts", seed: 1, plant: () => replace(Flow.prototype, "isFull", () => ({ get: () => false })) },
  {
    name: "`except` is forgotten in a replay",
    kind: "cuts",
    seed: 1,
    plant: () =>
      after(Reading.prototype, "page", (_self, page: Page) =>
        typeof page === "string" ? page : page.map((entry) => ({ ...entry, except: undefined })),
      ),
  },
  { name: "an entry of several topics has a short tag", kind: "cuts", seed: 1, faults: { shortTags: true } },
  {
    name: "a gap carries no position",
    kind: "cuts",
    seed: 3,
    plant: () => replace(Cursors.prototype, "skip", () => ({ value: () => ({ topic: undefined }) })),
  },
  {
    name: "a client forgets what it had once the log was rewound",
    kind: "lost ends",
    seed: 5,
    plant: () =>
      after(Cursors.prototype, "skip", (_self, skipped: Cursor | undefined) => {
        if (skipped !== undefined) skipped.again = undefined;
        return skipped;
      }),
  },
  {
    name: "what is uncertain is sent again",
    kind: "restarts",
    seed: 2,
    plant: () =>
      replace(OutgoingMessages.prototype, "welcome", ({ value }) => ({
        value(this: OutgoingMessages, resumed: boolean, acknowledged: number | undefined, most: number) {
          return Reflect.apply(value as () => never, this, [resumed, acknowledged ?? 0, most] as never);
        },
      })),
  },
  {
    name: "a new session keeps the old numbers",
    kind: "restarts",
    seed: 2,
    plant: () =>
      replace(OutgoingMessages.prototype, "welcome", ({ value }) => ({
        value(this: OutgoingMessages, _resumed: boolean, acknowledged: number | undefined, most: number) {
          return Reflect.apply(value as () => never, this, [true, acknowledged, most] as never);
        },
      })),
  },
  {
    name: "the own log lets go of what was sent, not of what was read",
    kind: "cuts",
    seed: 27,
    plant: () => after(OwnLog.prototype, "page", (self, page: readonly LogEntry[], offset: number) => (self.release(offset), page)),
  },
  { name: "a position is stored after its message was given on", kind: "reloads", seed: 1, faults: { storesLate: true } },
  {
    name: "a page uses the numbers of the one before again",
    kind: "reloads",
    seed: 4,
    // Otherwise the server's word prevents it, unless it has forgotten.
    plant: () => {
      const told = replace(Arrivals.prototype, "received", () => ({ get: () => undefined }));
      const stored = replace(OutgoingMessages.prototype, "restore", ({ value }) => ({
        value(this: OutgoingMessages, acknowledged: number) {
          return Reflect.apply(value as () => never, this, [acknowledged, acknowledged] as never);
        },
      }));
      return () => {
        told();
        stored();
      };
    },
  },
  {
    name: "a new session forgets where its client was",
    kind: "forgotten sessions",
    seed: 1,
    plant: () =>
      replace(Cursors.prototype, "renew", () => ({
        value(this: Cursors) {
          this.restore([], this.shared);
        },
      })),
  },
  {
    name: "what went by between two sessions is not told",
    kind: "forgotten sessions",
    seed: 1,
    plant: () => after(Cursors.prototype, "begin", (_self, { at }: Begun) => (at === undefined ? {} : { at })),
  },
  {
    name: "another log in a new session is not told",
    kind: "restarts",
    seed: 2,
    plant: () => after(Cursors.prototype, "begin", (_self, { at }: Begun) => (at === undefined ? {} : { at })),
  },
  {
    name: "a position of an earlier session is believed",
    kind: "forgotten sessions, lost ends",
    seed: 9,
    plant: () => after(Cursors.prototype, "begin", (_self, { why }: Begun) => (why === undefined ? {} : { why })),
  },
  {
    name: "a log that has lost its end since an earlier session is read on before the gap",
    kind: "forgotten sessions, lost ends",
    seed: 9,
    plant: () => after(Cursors.prototype, "begin", (self, begun: Begun) => (self.lost(), begun)),
  },
  {
    name: "a gap of what the client had in an earlier session moves it back",
    kind: "forgotten sessions",
    seed: 104,
    plant: () =>
      replace(Cursors.prototype, "skip", ({ value }) => ({
        value(this: Cursors, log: number, from: string) {
          return Reflect.apply(value as () => never, this, [log, from, "lost"] as never);
        },
      })),
  },
];
