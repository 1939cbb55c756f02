/** The types of a socket with delivery: what it has beyond the plain client. */
import type { ClientEvents, ClientOptions, ClientSendable } from "../../client/types.ts";

/** Messages are gone for this client: it goes on after them. Called before what follows. */
export interface GapEvent extends Event {
  /** Undefined for what was sent to this client alone. */
  readonly topic: string | undefined;
  /** What follows comes after this position: `epoch.offset.tag`. */
  readonly position: string;
  /** `"old"`: the topic's history no longer has them. `"lost"`: the server has lost them, or the topic's history was deleted. */
  readonly why: "old" | "lost";
}

/** Nobody knows whether the message was applied. It is not sent again. */
export interface UncertainEvent extends Event {
  readonly data: ClientSendable;
}

/**
 * The server has lost what it had in memory for this client: messages that were acknowledged, and whose answers have not come, may have none. What was not
 * acknowledged is sent again.
 */
export interface InterruptedEvent extends Event {
  /** True: the connection is the same, only its hooks were lost. False: the session had ended, and this is a new connection, whose `open` hook has run. */
  readonly resumed: boolean;
}

/** Events by name. */
export interface DeliveryEvents extends ClientEvents {
  /** Messages of the server are gone, and will not come. */
  gap: GapEvent;
  /** It is unknown whether messages of this side have arrived. They are not sent again. */
  uncertain: UncertainEvent;
  /** The server has lost what it had in memory for this client. */
  interrupted: InterruptedEvent;
}

/** The parts of a `messageClient` that are told what was lost. */
export interface CarriedMessages {
  /** But the members of topics for which `stays` is true. */
  readonly presence: { lost(stays?: (topic: string) => boolean): void } | undefined;
  readonly answers: { lost(): void };
  /** With `interrupted`, only what the server had begun to answer. */
  readonly exchanges: { lost(interrupted?: boolean): void };
  gap(gap: { readonly topic: string; readonly position: string }): void;
}

/** Where a session is kept while a page is reloaded: `{ storage: sessionStorage, key: "chat" }`. */
export interface DeliveryStore {
  /** `sessionStorage`, or what works like it. If it throws, the next page begins a new session. */
  readonly storage: { getItem(key: string): string | null | undefined; setItem(key: string, value: string): unknown };
  readonly key: string;
}

/** What `DeliverySocket` takes as its third argument. */
export interface DeliveryOptions extends Omit<ClientOptions, "queueMessages" | "queueBytes"> {
  /** Messages that may wait to be acknowledged. More are refused. Default: 1000. */
  readonly keepMessages?: number;
  /** Bytes that may wait to be acknowledged. More are refused. Default: 1 MiB. */
  readonly keepBytes?: number;
  /**
   * Lets the session survive a reload: what was missed meanwhile arrives, after what was given on before. Messages that were not acknowledged are lost
   * with the page: whether those that were sent were applied, the new page is not told. Written with each message. Default: none.
   */
  readonly store?: DeliveryStore;
}
