/** How delivery is negotiated, in the names of subprotocols: docs/PROTOCOL.md states the form. */

/** Alone, or with the application's own subprotocol: `edgewire.delivery.1+edgewire.json.1`. */
export const deliveryProtocol = "edgewire.delivery.1";

/** A client that comes back offers where it is, in a name that is never selected. */
export const resumePrefix = "edgewire.resume.1~";

/** Letters of the longest resume, and logs in it. */
const longest = 4096;
/** A client writes at most 3800 letters, of whole logs. */
const roomFor = 3700;
const mostLogs = 101;

/** What a client offers of delivery. */
export interface DeliveryOffer {
  /** The application's subprotocols; "" stands for none. */
  readonly inner: readonly string[];
  /** As it was offered. */
  readonly resume: string | undefined;
}

/** Undefined if it offers none. */
export function deliveryOffer(offered: readonly string[]): DeliveryOffer | undefined {
  const inner = offered.flatMap((name) => innerProtocol(name) ?? []);
  return inner.length === 0 ? undefined : { inner, resume: offered.find((name) => name.startsWith(resumePrefix)) };
}

/** The application's part of a subprotocol, or ""; undefined if it is none of delivery. */
export function innerProtocol(name: string): string | undefined {
  if (name === deliveryProtocol) return "";
  return name.startsWith(`${deliveryProtocol}+`) ? name.slice(deliveryProtocol.length + 1) : undefined;
}

/** The subprotocol to select. */
export function outerProtocol(inner: string): string {
  return inner === "" ? deliveryProtocol : `${deliveryProtocol}+${inner}`;
}

/** What a client says of itself when it comes back. */
export interface Resume {
  readonly session: string;
  /** The last of its messages that it knows to be stored. */
  readonly acknowledged: number;
  /** It may have had no room for all. */
  readonly isFull: boolean;
  /** By the log's number. */
  readonly positions: ReadonlyMap<number, ResumedAt>;
}

/** Where a client is in a log. */
export interface ResumedAt {
  /** The number of the subscription; undefined for its own log. */
  readonly subscription: number | undefined;
  readonly position: string;
}

/** Undefined if it is malformed: then its session is unknown. */
export function readResume(text: string): Resume | undefined {
  if (text.length > longest) return undefined;
  const [head = "", ...logs] = text.slice(resumePrefix.length).split("~");
  const [, session, acknowledged] = /^([0-9A-Za-z_-]{1,64})\.(\d{1,15})$/.exec(head) ?? [];
  if (session === undefined || logs.length > mostLogs) return undefined;
  const positions = new Map<number, ResumedAt>();
  for (const log of logs) {
    const [, number, subscription, position] = /^(\d{1,9})(?:-(\d{1,15}))?\.(.+)$/.exec(log) ?? [];
    if (position === undefined) return undefined;
    positions.set(Number(number), { subscription: subscription === undefined ? undefined : Number(subscription), position });
  }
  return { session, acknowledged: Number(acknowledged), isFull: text.length > roomFor, positions };
}
