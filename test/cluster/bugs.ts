/**
 * Faults that are planted, one at a time, in the code or in what surrounds it: the checker must find each. Found once, with the kind and the seed that
 * shows it (`node test/cluster/campaign.ts --bugs` looks for them).
 */
import { CatchUp } from "../../src/cluster/catch-up.ts";
import { Claims } from "../../src/cluster/claims.ts";
import { FeedPlace, type FramePlace } from "../../src/cluster/feed-place.ts";
import type { Change, Frame, Head } from "../../src/cluster/feed.ts";
import { Follower } from "../../src/cluster/follower.ts";
import { Mirror } from "../../src/cluster/mirror.ts";
import { Notices } from "../../src/cluster/notices.ts";
import type { MemoryNode, MemoryState } from "../../src/cluster/memory/state.ts";
import type { Batch } from "../../src/cluster/backplane.ts";
import type { Faults } from "./node.ts";

export interface Bug {
  readonly name: string;
  readonly kind: string;
  readonly seed: number;
  /** Faults of the server around a cluster, or of the backplane. */
  readonly faults?: Faults;
  /** Replaces methods; returns what puts them back. */
  plant?(): () => void;
}

/** Replaces a method or a getter. */
function replace<T extends object>(prototype: T, name: keyof T & string, put: PropertyDescriptor): () => void {
  const original = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  Object.defineProperty(prototype, name, { configurable: true, ...put });
  return () => void Object.defineProperty(prototype, name, original);
}

function together(...restores: readonly (() => void)[]): () => void {
  return () => {
    for (const restore of restores) restore();
  };
}

/** Nobody looks whether the feed is further. */
const noCheck = (): (() => void) =>
  together(
    replace(Follower.prototype, "expect", { value() {} }),
    replace(Follower.prototype, "compare", { value() {} }),
    replace(Notices.prototype, "told", { value() {} }),
  );

function passesOver(this: FeedPlace, { number }: Head): FramePlace {
  return number > this.number ? "next" : "repeated";
}

const nodeOf = ({ node }: Batch, { nodes }: MemoryState): MemoryNode | undefined => nodes.get(node);

export const bugs: readonly Bug[] = [
  {
    name: "no condition on `acknowledged` between nodes",
    kind: "cuts",
    seed: 3,
    faults: {
      backplane({ turns }, { sessions }) {
        const seen = new Set<string>();
        for (const { condition } of turns) {
          if (condition?.type !== "message" || seen.has(condition.session)) continue;
          seen.add(condition.session);
          const session = sessions.get(condition.session);
          if (session !== undefined) session.acknowledged = condition.number - 1;
        }
      },
    },
  },
  { name: "no re-check of the feed", kind: "cuts", seed: 2, plant: noCheck },
  { name: "presence is told by every node", kind: "steady", seed: 1, faults: { presenceToAll: true } },
  {
    name: "a mirror joins without the subscription first",
    kind: "steady",
    seed: 7,
    faults: { subscribesLate: true },
    // Otherwise the next frame, or the check, finds what was missed.
    plant: () => together(noCheck(), replace(FeedPlace.prototype, "placeOf", { value: passesOver })),
  },
  {
    name: "batches are not numbered",
    kind: "cuts",
    seed: 106,
    faults: {
      backplane(batch, state) {
        const node = nodeOf(batch, state);
        if (node !== undefined) Object.assign(node, { batch: batch.after, answer: undefined });
      },
    },
  },
  {
    name: "live before the pages are read",
    kind: "cuts",
    seed: 1,
    plant: () => replace(CatchUp.prototype, "question", { get: () => undefined }),
  },
  {
    name: "a missing frame is passed over",
    kind: "cuts",
    seed: 2,
    plant: () => replace(FeedPlace.prototype, "placeOf", { value: passesOver }),
  },
  {
    name: "a client that comes back is served before the node is as far as it",
    kind: "steady",
    seed: 143,
    plant: () => replace(Claims.prototype, "wait", { value() {} }),
  },
  { name: "acknowledged before it is stored", kind: "crashes", seed: 1, faults: { acknowledgesEarly: true } },
  { name: "a session that comes back is as the node knew it", kind: "cuts", seed: 93, faults: { trustsMemory: true } },
  {
    name: "frames have a number alone",
    kind: "failover",
    seed: 114,
    plant: () =>
      together(
        replace(FeedPlace.prototype, "placeOf", {
          value(this: FeedPlace, { number }: Frame<Change>) {
            if (number <= this.number) return "repeated";
            return number === this.number + 1 ? "next" : "missing";
          },
        }),
        replace(FeedPlace.prototype, "compare", {
          value(this: FeedPlace, { number }: Head) {
            return number > this.number ? "missing" : "same";
          },
        }),
      ),
  },
  {
    name: "a node whose lease is over goes on",
    kind: "crashes",
    seed: 13,
    faults: {
      backplane(batch, state) {
        if (batch.life !== state.life || state.nodes.has(batch.node)) return;
        const notices = { number: 0, tag: "0" };
        state.nodes.set(batch.node, { until: Number.POSITIVE_INFINITY, batch: batch.after, answer: undefined, notices, counts: undefined });
      },
    },
  },
  {
    name: "a node goes on after its batches were lost",
    kind: "failover",
    seed: 32,
    faults: {
      backplane(batch, state) {
        const node = nodeOf(batch, state);
        if (node !== undefined && node.batch < batch.after) node.batch = batch.after;
      },
    },
  },
  {
    name: "what is repeated after a loss is told again",
    kind: "emptied",
    seed: 363,
    plant: () => replace(Mirror.prototype, "rewound", { value() {} }),
  },
  {
    name: "what was told to one node alone is not asked for again",
    kind: "cuts",
    seed: 898,
    plant: () => replace(Notices.prototype, "told", { value() {} }),
  },
  {
    name: "who was on a node that is gone stays present",
    kind: "crashes",
    seed: 1,
    plant: () => {
      const { apply } = Mirror.prototype;
      return replace(Mirror.prototype, "apply", {
        value(this: Mirror, change: Change) {
          return change.type === "gone" ? true : apply.call(this, change);
        },
      });
    },
  },
];
