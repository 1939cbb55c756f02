/** What memory knows of one connection's life. Times are `Clock.elapsed`'s. */
export class Liveness {
  /** Something came since the last sweep. */
  heard = false;
  /** It has sent the text ping. */
  pings = false;
  /** The last sweep before which something had come. */
  seen: number = Number.NEGATIVE_INFINITY;
  /** When it was pinged, as long as nothing came since; otherwise 0. */
  asked = 0;
  /** Bytes that waited for it then. */
  backlog = 0;
  /** When it was last stored that something came. */
  kept: number = Number.NEGATIVE_INFINITY;
  /** The heartbeat's `#spell` in which the clock was last asked for it. */
  spell = 0;
}
