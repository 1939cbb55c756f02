/** An HTTP/1.1 request written byte by byte, and its response read the same way. */

/** A header with the value null is left out; a name given twice is sent twice. */
export type HeaderList = readonly (readonly [string, string | null])[];

export interface Handshake {
  readonly method?: string;
  /** The request target as it is written: path and query, or an absolute URI. */
  readonly target: string;
  /** Default: HTTP/1.1. */
  readonly version?: string;
  /** Replace the defaults of the same name (any case), or are added. */
  readonly headers?: HeaderList;
  /** Bytes right after the request, in the same TCP segment. */
  readonly early?: Uint8Array;
}

/** What came back. Header names are in lower case; a repeated header keeps every value. */
export interface WireResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The single value of a header; throws when it is repeated. */
  header(name: string): string | undefined;
  all(name: string): string[];
}

/** The key of RFC 6455 section 1.3. */
export const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==";

export function encodeRequest(handshake: Handshake, host: string): Buffer {
  const lines = [`${handshake.method ?? "GET"} ${handshake.target} ${handshake.version ?? "HTTP/1.1"}`];
  for (const [name, value] of mergeHeaders(handshake.headers ?? [], host)) lines.push(`${name}: ${value}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return handshake.early === undefined ? head : Buffer.concat([head, handshake.early]);
}

/** The response head, once it is all there, and where it ends. */
export function decodeHead(bytes: Buffer): { response: WireResponse; end: number } | undefined {
  const blank = bytes.indexOf("\r\n\r\n");
  if (blank < 0) return undefined;
  const [statusLine = "", ...lines] = bytes.subarray(0, blank).toString("latin1").split("\r\n");
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine);
  if (match === null) throw new Error(`not an HTTP response: ${JSON.stringify(statusLine)}`);
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { response: new Head(Number(match[1]), match[2] ?? "", headers), end: blank + 4 };
}

export interface Body {
  readonly bytes: Buffer;
  /** Where it ends on the wire. */
  readonly end: number;
}

/** The body, once it is all there; `ended` says that no more bytes will come. */
export function decodeBody(response: WireResponse, bytes: Buffer, ended: boolean): Body | undefined {
  const length = response.header("content-length");
  const whole = (size: number): Body => ({ bytes: bytes.subarray(0, size), end: size });
  if (response.status === 204 || response.status === 304) return whole(0);
  if (length !== undefined) return bytes.length >= Number(length) ? whole(Number(length)) : undefined;
  if (response.header("transfer-encoding") === "chunked") return decodeChunks(bytes);
  return ended ? whole(bytes.length) : undefined;
}

class Head implements WireResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];

  constructor(status: number, statusText: string, headers: readonly (readonly [string, string])[]) {
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
  }

  header(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1) throw new Error(`${name} came ${values.length} times: ${values.join(" | ")}`);
    return values[0];
  }

  all(name: string): string[] {
    return this.headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  }
}

function mergeHeaders(own: HeaderList, host: string): [string, string][] {
  const defaults: [string, string][] = [
    ["Host", host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", sampleKey],
  ];
  const named = new Set(own.map(([name]) => name.toLowerCase()));
  const kept = defaults.filter(([name]) => !named.has(name.toLowerCase()));
  return [...kept, ...own.filter((header): header is [string, string] => header[1] !== null)];
}

function decodeChunks(bytes: Buffer): Body | undefined {
  const parts: Buffer[] = [];
  for (let offset = 0; ;) {
    const line = bytes.indexOf("\r\n", offset);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(offset, line).toString("latin1"), 16);
    const end = line + 2 + size;
    if (bytes.length < end + 2) return undefined;
    if (size === 0) return { bytes: Buffer.concat(parts), end: end + 2 };
    parts.push(bytes.subarray(line + 2, end));
    offset = end + 2;
  }
}
