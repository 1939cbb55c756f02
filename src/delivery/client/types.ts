/** The types of a socket with delivery: what it has beyond the plain client. */
/** Messages of a topic are gone for this client: it goes on after them. */
export interface GapEvent extends Event {
  /** Undefined for what was sent to this client alone. */
  readonly topic: string | undefined;
  /** `"old"`: the topic's history no longer has them. `"lost"`: the server has lost them, or the topic's history was deleted. */
  readonly why: "old" | "lost";
}

/** Nobody knows whether the message was applied. It is not sent again. */
export interface UncertainEvent extends Event {
  readonly data: unknown;
}
