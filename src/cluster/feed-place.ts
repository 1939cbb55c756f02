/** Where a node is in a feed: which frame comes next, and whether the feed is still the same one. */
import type { Frame, Head } from "./feed.ts";

/** Frames that are remembered, to tell repeated ones from those of a feed that has lost its end. */
const most = 256;

/**
 * - `"next"`: it follows the last one.
 * - `"repeated"`: it was there already, or is older than what is remembered.
 * - `"missing"`: one before it was lost.
 * - `"other"`: the feed has lost its end, or is another.
 */
export type FramePlace = "next" | "repeated" | "missing" | "other";

export class FeedPlace {
  #number = 0;
  #tags: string[] = [];
  /** The number of the first of them. */
  #first = 0;

  get number(): number {
    return this.#number;
  }

  /** Goes on after that frame. */
  reset({ number, tag }: Head): void {
    this.#number = this.#first = number;
    this.#tags = [tag];
  }

  placeOf({ number, tag, before }: Frame<unknown>): FramePlace {
    if (number > this.#number + 1) return "missing";
    if (number === this.#number + 1) return before === this.#tagOf(this.#number) ? "next" : "other";
    const known = this.#tagOf(number);
    return known === undefined || known === tag ? "repeated" : "other";
  }

  take({ number, tag }: Head): void {
    this.#number = number;
    this.#tags.push(tag);
    if (this.#tags.length <= most) return;
    this.#tags.shift();
    this.#first++;
  }

  /** @param asked the last frame's number when the head was asked for. @returns `"missing"` if frames may be under way, or lost. */
  compare({ number, tag }: Head, asked: number): "same" | "missing" | "other" {
    if (number > this.#number) return "missing";
    if (number < asked) return "other";
    const known = this.#tagOf(number);
    return known === undefined || known === tag ? "same" : "other";
  }

  #tagOf(number: number): string | undefined {
    return this.#tags[number - this.#first];
  }
}
