/** Sequences that failed once, shrunk: played first, on every runtime that can. A failing run prints its own in this form. */
import type { Sequence } from "./sequence.ts";

export interface Kept {
  /** What it showed. */
  readonly why: string;
  readonly sequence: Sequence;
}

export const kept: readonly Kept[] = [
  {
    why: "a Durable Object's TCP connection stays open after our close of a client that has sent nothing",
    sequence: {
      on: "main",
      actions: [{ do: "connect", kind: "run", room: "a", late: false, state: null, open: [["throw", "boom"]], close: [], first: [] }],
    },
  },
  {
    why: "a close in open crosses the client's first message",
    sequence: {
      on: "main",
      actions: [
        { do: "connect", kind: "echo", room: "a", late: false, state: null, open: [["throw", "boom"]], close: [], first: ["first"] },
      ],
    },
  },
  {
    why: "Deno sends a close frame when the handler terminates",
    sequence: {
      on: "main",
      actions: [
        { do: "connect", kind: "run", room: "a", late: false, state: null, open: [], close: [], first: [] },
        { do: "tell", who: 0, messages: [[["terminate"]]] },
      ],
    },
  },
  {
    why: "A close hook that still runs when its object falls asleep.",
    sequence: {
      on: "main",
      actions: [
        {
          do: "connect",
          room: "a",
          late: false,
          state: null,
          open: [],
          close: [
            ["sleep", 1],
            ["publish", "x", "gone"],
          ],
          kind: "run",
          first: [],
        },
        { do: "connect", room: "a", late: false, state: null, open: [["subscribe", "x"]], close: [], kind: "echo", first: [] },
        { do: "tell", who: 0, messages: [[["close", 1000, ""]]], evict: true },
      ],
    },
  },
];
