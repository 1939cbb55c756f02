/** The contract in types: the statistics of a server or a room. */

export interface Traffic {
  readonly messages: number;
  /** Bytes of binary messages, and UTF-16 units of text, which equal its bytes if it is ASCII: counting UTF-8 would cost more than sending it. */
  readonly bytes: number;
}

/** What `stats` of a room returns. */
export interface RoomStats {
  /** Connections that are open now. */
  readonly open: number;
  readonly opened: number;
  /** Connections that have ended, by the close code that the close hook got. */
  readonly closed: Readonly<Record<number, number>>;
  /** Messages accepted from clients for the `message` hook. */
  readonly received: Traffic;
  /** Messages handed to the runtime, one for each connection that a publish reached. */
  readonly sent: Traffic;
  /** Messages that were not: received over a rate limit, or for a client over `maxBuffered`. */
  readonly dropped: { readonly received: number; readonly sent: number };
  /** Bytes now waiting to be sent; 0 on workerd, which reports nothing. */
  readonly buffered: number;
  /** Messages now waiting for a slow hook. */
  readonly queued: number;
  /** Hooks that threw or rejected, and promises given to `waitUntil` that rejected. */
  readonly hookErrors: number;
}

/** With the option `backplane`: how this server is connected with the others. */
export interface BackplaneStats {
  /** Rooms that this server is in. */
  readonly rooms: number;
  /** Bytes of publishes and other changes that wait for the backplane. */
  readonly waiting: number;
  /** Milliseconds for which it has not answered; 0 if it answers in time. */
  readonly away: number;
  /** How often the option `patience` ran out: handshakes that were refused, and calls that failed. */
  readonly impatient: number;
  /** Frames from the backplane that were lost. Messages of topics without a history that were in them did not reach this server's subscribers. */
  readonly missed: number;
}

/** What `stats` of a server returns. */
export interface Stats extends RoomStats {
  /**
   * With delivery: connections whose client is there and has all there is (`live`), is there and reads on (`behind`), or is away (`disconnected`). All
   * of them are open.
   */
  readonly delivery?: { readonly live: number; readonly behind: number; readonly disconnected: number };
  /** With the option `backplane`. */
  readonly backplane?: BackplaneStats;
  /**
   * Handshakes that were refused, by cause. It is the option behind it (`origins`, `requireProtocol`, `upgradeTimeout`, `maxConnections`, …),
   * `upgrade` for a Response of the hook, or `error` for a failed hook. It may also be `expiresAt`, `closing`, or the status for a malformed request (`"426"`).
   */
  readonly refused: Readonly<Record<string, number>>;
}
