/** The types of a socket with delivery: what it has beyond the plain client. */
import type { ClientEvents } from "../../client/types.ts";

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

export interface DeliveryEvents extends ClientEvents {
  gap: GapEvent;
  uncertain: UncertainEvent;
  /** The memory of the server's hooks was lost: requests that it had taken and not answered may have run, and get no answer. */
  interrupted: Event;
}
