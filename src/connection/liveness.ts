/** What memory knows about a client's signs of life. Times are `Clock.elapsed`'s. */
export class Liveness {
  /** Something arrived since the last sweep. */
  heard = false;
  /** It has sent the text ping. */
  pings = false;
  /** The last sweep before which something had arrived. */
  seen: number = Number.NEGATIVE_INFINITY;
  /** When it was pinged, while there is no answer; otherwise 0. */
  asked = 0;
  /** Bytes that waited for it at that time. */
  backlog = 0;
  /** When a sign of life was last stored. */
  kept: number = Number.NEGATIVE_INFINITY;
  /** The heartbeat's `#spell` in which the clock was last read for it. */
  spell = 0;
}
