/** The contract in types: what a server or a room has done, in numbers. */

export interface Traffic {
  readonly messages: number;
  /** Of binary messages their bytes, of text its UTF-16 units, which are its bytes where it is ASCII: to count UTF-8 would cost more than to send it. */
  readonly bytes: number;
}

export interface RoomStats {
  /** Connections that are open now. */
  readonly open: number;
  readonly opened: number;
  /** Connections that have ended, by the close code that the close hook was told. */
  readonly closed: Readonly<Record<number, number>>;
  /** Messages that were taken from clients for the `message` hook. */
  readonly received: Traffic;
  /** Messages that were handed to the runtime, one for each connection that a publish reached. */
  readonly sent: Traffic;
  /** Messages that were not: received over the limit of a rate, or sent to a client over `maxBuffered`. */
  readonly dropped: { readonly received: number; readonly sent: number };
  /** Bytes that wait now to be sent; 0 on workerd, which reports nothing. */
  readonly buffered: number;
  /** Messages that wait now for a slow hook. */
  readonly queued: number;
  /** Hooks that threw or rejected. */
  readonly hookErrors: number;
}

export interface Stats extends RoomStats {
  /**
   * Handshakes that were refused, by cause: the option behind it (`origins`, `requireProtocol`, `upgradeTimeout`, `maxConnections`, …),
   * `upgrade` for a Response of the hook, `error` for a hook that failed, `expiresAt`, `closing`, or the status of what was malformed (`"426"`).
   */
  readonly refused: Readonly<Record<string, number>>;
}
