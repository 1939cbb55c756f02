/** The contract in types: the option `delivery`. */

/** What `delivery` of "edgewire/delivery" takes. */
export interface DeliveryOptions {
  /**
   * Milliseconds that a connection waits for a client that has lost its socket. Until then it is in its room, counted and present, and what is sent to it
   * is kept. With 0 it ends at once, and only what the client sends is safe. Default: 120 000; at most 86 400 000.
   */
  readonly resumeTimeout?: number;
  /** Milliseconds after a session's end for which its client can still learn what was acknowledged. Default: 86 400 000, and at most seven times that. */
  readonly rememberAcknowledged?: number;
  /** Bytes that a client may leave unread; with more than 512 connections of a server, 32 MiB over their number if that is less. Default: 64 KiB; 2 KiB to 16 MiB. */
  readonly window?: number;
  /**
   * What is kept of the messages that `connection.send` sends, until the client has read them. More ends the connection with 1013 "Slow consumer".
   * Default: 4096 messages, 1 MiB.
   */
  readonly directLog?: { readonly messages?: number; readonly bytes?: number };
  /** Messages of a client that may be under way: sent, and not acknowledged. Default: 64; 1 to 4096. */
  readonly maxInFlight?: number;
  /** Topics with a history that one connection may be subscribed to. Default and maximum: 100. */
  readonly maxLogs?: number;
  /** Refuses with 400 a client that does not ask for delivery. Default: false: it is served without. */
  readonly required?: boolean;
  /** Connections of a server that may be without their client at once: beyond, the one that has waited longest ends. Default: 10 000. */
  readonly maxDisconnected?: number;
}

/** What `delivery()` returns: the option `delivery` of a handler. */
export interface Delivery {
  readonly options: DeliverySettings;
}

/** With defaults filled in. */
export interface DeliverySettings {
  readonly resumeTimeout: number;
  readonly rememberAcknowledged: number;
  readonly window: number;
  readonly directLog: { readonly messages: number; readonly bytes: number };
  readonly maxInFlight: number;
  readonly maxLogs: number;
  readonly required: boolean;
  readonly maxDisconnected: number;
}
