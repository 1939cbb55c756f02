/**
 * The frames of a connection with delivery (docs/PROTOCOL.md): a header in ASCII, a semicolon and the payload, alike in text and in bytes. `!` begins a
 * control frame, which is JSON. Both sides use this file.
 */
import type { Data } from "../api/connection.ts";

/** Which entry of which log: the log has a number on this connection, the entry an offset and a random tag. */
export interface Reference {
  readonly log: number;
  readonly offset: number;
  readonly tag: string;
}

/** Logs that a connection may read, and so the most references of an entry. */
export const maxLogs = 100;

/** Bytes of the longest header that is looked at: `maxLogs` references with the largest numbers. */
const longestHeader = maxLogs * 42;

export type ServerFrame =
  /** In several logs if it was published to several topics. Without a payload it is not for this reader: only its cursor moves. */
  | { readonly type: "entry"; readonly references: readonly Reference[]; readonly payload: Data | undefined }
  /** In no log: at most once. */
  | { readonly type: "message"; readonly payload: Data }
  | { readonly type: "control"; readonly control: ServerControl };

export type ClientFrame =
  /**
   * The client's n-th message of its session, counted from 1. Without a payload the number is void: no hook runs for it. The client used it earlier, but no
   * longer has the message (its page was reloaded, a Blob could not be read), and uses no number for another message.
   */
  | { readonly type: "message"; readonly number: number; readonly payload: Data | undefined }
  | { readonly type: "control"; readonly control: ClientControl };

/** The first frame on every socket. */
export interface Welcome {
  readonly session: string;
  /** The session is the one that the client named. */
  readonly resumed: boolean;
  /** The last message of the session that the client named whose turn is stored; absent if nobody knows it. */
  readonly acknowledged?: number;
  /** The last message of a resumed session that has come, from any of its clients. A duplicated tab may have sent some that this client doesn't know. */
  readonly received?: number;
  /** Another one: the memory of hooks was lost, and with it requests that had no answer yet. */
  readonly life: string;
  /** Messages that the client may have under way. */
  readonly maxInFlight: number;
}

/** What a client is told of a log when it begins to read it. */
export interface Introduction {
  /** The log's number, the same for all its readers. */
  readonly n: number;
  /** The number of the subscription: the same topic may be subscribed to again. Absent for the connection's own log. */
  readonly s?: number;
  /** Absent for the connection's own log. */
  readonly topic?: string;
  readonly at: string;
}

/** What a server says. Unknown ones are ignored, so that a later version can add some. */
export interface ServerControl {
  readonly welcome?: Welcome;
  /** A subscription begins: entries of this log follow, after the position `at`. */
  readonly log?: Introduction;
  readonly end?: { readonly n: number };
  /** What this reader lacks up to the position `from` is gone: pushed out or too old, or lost with the end of the log. */
  readonly gap?: { readonly n: number; readonly from: string; readonly why: "old" | "lost" };
  /** All messages up to this one are stored. */
  readonly acknowledged?: number;
  /** Flow: to be sent back. */
  readonly mark?: number;
  /** The server has forgotten how far the client is: it answers with `at` for all its logs. */
  readonly where?: true;
}

/** What a client says. */
export interface ClientControl {
  readonly mark?: number;
  /** By log: entries are missing after these positions, or the server has asked. */
  readonly at?: Readonly<Record<string, string>>;
}

/** The tag of an entry that is in several logs is two words long: it tells that entries of two logs are one. */
export function isShared(tag: string): boolean {
  return tag.length > 7;
}

const referenceForm = /^(\d{1,9})\.(\d{1,15})\.([0-9a-z]{1,14})$/;

/** Undefined for anything that is not a frame. */
export function parseServerFrame(data: Data): ServerFrame | undefined {
  const control = parseControl<ServerControl>(data);
  if (control !== undefined) return { type: "control", control };
  const [header, payload] = split(data);
  if (header === undefined) return undefined;
  if (header === "") return payload === undefined ? undefined : { type: "message", payload };
  const references: Reference[] = [];
  for (const one of header.split(",")) {
    const [, log, offset, tag] = referenceForm.exec(one) ?? [];
    if (tag === undefined || references.length === maxLogs) return undefined;
    references.push({ log: Number(log), offset: Number(offset), tag });
  }
  return { type: "entry", references, payload };
}

/** Undefined for anything that is not a frame. */
export function parseClientFrame(data: Data): ClientFrame | undefined {
  const control = parseControl<ClientControl>(data);
  if (control !== undefined) return { type: "control", control };
  const [header, payload] = split(data);
  const number = /^[1-9]\d{0,15}$/.test(header ?? "") ? Number(header) : 0;
  return number > 0 && Number.isSafeInteger(number) ? { type: "message", number, payload } : undefined;
}

export function formatReferences(references: readonly Reference[]): string {
  return references.map(({ log, offset, tag }) => `${log}.${offset}.${tag}`).join();
}

/** A header and its payload as one message: text if the payload is text. */
export function join(header: string, payload: Data): Data {
  if (typeof payload === "string") return `${header};${payload}`;
  const whole = new Uint8Array(header.length + 1 + payload.length);
  for (let index = 0; index < header.length; index++) whole[index] = header.charCodeAt(index);
  whole[header.length] = semicolon;
  whole.set(payload, header.length + 1);
  return whole;
}

export function formatControl(control: ServerControl | ClientControl): string {
  return `!${JSON.stringify(control)}`;
}

const semicolon = 0x3b;

/** Only text, and an object. */
function parseControl<Control>(data: Data): Control | undefined {
  if (typeof data !== "string" || !data.startsWith("!")) return undefined;
  try {
    const control: unknown = JSON.parse(data.slice(1));
    return typeof control === "object" && control !== null ? (control as Control) : undefined;
  } catch {
    return undefined;
  }
}

/** The header as text, undefined if it is too long, and the payload, undefined if there is no semicolon. */
function split(data: Data): readonly [header: string | undefined, payload?: Data] {
  const isText = typeof data === "string";
  const end = isText ? data.slice(0, longestHeader + 1).indexOf(";") : data.subarray(0, longestHeader + 1).indexOf(semicolon);
  const length = end < 0 ? data.length : end;
  if (length > longestHeader) return [undefined];
  const header = isText ? data.slice(0, length) : String.fromCharCode(...data.subarray(0, length));
  return end < 0 ? [header] : [header, data.slice(end + 1)];
}
