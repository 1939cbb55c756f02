/** What a client of the contract's cases has of each log: written down apart from the library's own client, so that the two can't share a mistake. */
import type { Introduction, Reference } from "../../src/delivery/frames.ts";

interface Place {
  readonly subscription: number | undefined;
  readonly topic: string | undefined;
  epoch: string;
  offset: number;
  tag: string;
}

export class Positions {
  readonly #places = new Map<number, Place>();
  /** Long tags, those of messages to several topics, that it has had. */
  readonly #shared = new Set<string>();

  clear(): void {
    this.#places.clear();
  }

  begin({ n, s, topic, at }: Introduction): void {
    const known = this.#places.get(n);
    if (known === undefined || known.subscription !== s) this.#places.set(n, { subscription: s, topic, ...parsed(at) });
  }

  end(log: number): void {
    this.#places.delete(log);
  }

  skip(log: number, from: string): void {
    const place = this.#places.get(log);
    if (place !== undefined) Object.assign(place, parsed(from));
  }

  /** Whether it is to be given on. `"missing"`: an earlier one did not come. `"had"`: it came before, from the same log. */
  take(references: readonly Reference[]): "new" | "shared" | "had" | "missing" {
    const read = references.filter(({ log }) => this.#places.has(log));
    const isNext = read.filter(({ log, offset, tag }) => {
      const place = this.#places.get(log)!;
      if (offset !== place.offset + 1) return false;
      Object.assign(place, { offset, tag });
      return true;
    });
    if (isNext.length === 0) return read.some(({ log, offset }) => offset > this.#places.get(log)!.offset) ? "missing" : "had";
    const { tag } = isNext[0]!;
    if (tag.length <= 7) return "new";
    if (this.#shared.has(tag)) return "shared";
    this.#shared.add(tag);
    return "new";
  }

  get topics(): readonly string[] {
    return [...this.#places.values()].flatMap(({ topic }) => topic ?? []).sort();
  }

  /** By the log's number. */
  get all(): Record<string, string> {
    return Object.fromEntries([...this.#places].map(([log, { epoch, offset, tag }]) => [log, `${epoch}.${offset}.${tag}`]));
  }

  /** As in a resume. */
  get resume(): readonly string[] {
    return [...this.#places].map(
      ([log, { subscription, epoch, offset, tag }]) =>
        `${log}${subscription === undefined ? "" : `-${subscription}`}.${epoch}.${offset}.${tag}`,
    );
  }
}

function parsed(position: string): { epoch: string; offset: number; tag: string } {
  const [epoch = "", offset = "", tag = ""] = position.split(".");
  return { epoch, offset: Number(offset), tag };
}
