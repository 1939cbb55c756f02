/** RFC 9112, read strictly: an answer's head and its body. */

export interface AnswerHead {
  readonly version: string;
  readonly status: number;
  readonly text: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The server says that it closes the connection. */
  readonly closes: boolean;
  header(name: string): string | undefined;
}

const statusLine = /^HTTP\/(1\.[01]) ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const field = /^([!#$%&'*+.^_`|~\dA-Za-z-]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;
/** Longer heads no case asks for. */
const maxHead = 64 * 1024;

export function decodeAnswerHead(bytes: Buffer): { head: AnswerHead; end: number } | undefined {
  const start = "HTTP/1.";
  if (bytes.subarray(0, start.length).toString("latin1") !== start.slice(0, bytes.length)) throw new Error("no status line");
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.length > maxHead) throw new Error("a head without an end");
    return undefined;
  }
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const match = statusLine.exec(first);
  if (match === null) throw new Error("a malformed status line");
  const headers = lines.map((line) => {
    const [, name, value] = field.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`a malformed header, ${JSON.stringify(line)}`);
    return [name.toLowerCase(), value] as const;
  });
  const version = match[1]!;
  const status = Number(match[2]);
  const header = (name: string): string | undefined => headers.find(([key]) => key === name)?.[1];
  check(headers, status);
  const connection = headers.filter(([name]) => name === "connection").flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/));
  const closes = connection.includes("close") || (version === "1.0" && !connection.includes("keep-alive"));
  return { head: { version, status, text: match[3]!, headers, closes, header }, end: end + 4 };
}

function check(headers: AnswerHead["headers"], status: number): void {
  const all = (name: string): string[] => headers.filter(([key]) => key === name).map(([, value]) => value);
  const [lengths, codings] = [all("content-length"), all("transfer-encoding")];
  if (lengths.length > 1 || codings.length > 1) throw new Error("a length that comes twice");
  if (lengths.length > 0 && codings.length > 0) throw new Error("both a Content-Length and a Transfer-Encoding");
  if (lengths.some((length) => !/^\d+$/.test(length))) throw new Error("a Content-Length that is no number");
  if (codings.some((coding) => coding.toLowerCase() !== "chunked")) throw new Error("an unknown Transfer-Encoding");
  if (status === 204 && (codings.length > 0 || lengths.some((length) => length !== "0"))) throw new Error("a 204 that says it has a body");
  if (all("x-split").length > 0) throw new Error("a header that a line end in a value made");
  if (status < 200 && status !== 100 && status !== 101) throw new Error(`an unknown status ${status}`);
}

/** Takes the bytes of one body, and no more. */
export class BodyReader {
  readonly #parts: Buffer[] = [];
  readonly #chunked: boolean;
  /** Bytes that are missing: of all, or of this chunk. Undefined: it ends with the connection. */
  #left: number | undefined;
  #state: "size" | "data" | "data's end" | "trailers" = "size";
  complete = false;
  /** Its end is the connection's. */
  readonly untilEnd: boolean;

  constructor(head: AnswerHead, method: string) {
    const { status } = head;
    const length = head.header("content-length");
    // A 205 has none either, though it should say so (RFC 9110 section 15.3.6): Deno's does not.
    const none =
      method === "HEAD" ||
      status === 204 ||
      (status === 205 && length === undefined && head.header("transfer-encoding") === undefined) ||
      status === 304 ||
      (method === "CONNECT" && status < 300);
    this.#chunked = !none && head.header("transfer-encoding") !== undefined;
    this.#left = none ? 0 : length === undefined ? undefined : Number(length);
    this.untilEnd = !this.#chunked && this.#left === undefined;
    this.complete = this.#left === 0 && !this.#chunked;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** How many bytes it took. */
  feed(bytes: Buffer): number {
    if (this.complete) return 0;
    if (!this.#chunked) {
      const part = bytes.subarray(0, this.#left ?? bytes.length);
      this.#parts.push(part);
      if (this.#left !== undefined) this.complete = (this.#left -= part.length) === 0;
      return part.length;
    }
    let at = 0;
    for (let used = -1; used !== 0 && !this.complete; at += used) used = this.#chunk(bytes.subarray(at));
    return at;
  }

  #chunk(bytes: Buffer): number {
    if (this.#state === "data") {
      const part = bytes.subarray(0, this.#left);
      this.#parts.push(part);
      if ((this.#left! -= part.length) === 0) this.#state = "data's end";
      return part.length;
    }
    const end = bytes.indexOf("\r\n");
    if (end < 0) {
      if (bytes.length > 1000) throw new Error("a chunk's size without an end");
      return 0;
    }
    const line = bytes.subarray(0, end).toString("latin1");
    if (this.#state === "data's end") {
      if (line !== "") throw new Error("a chunk that is longer than it says");
      this.#state = "size";
    } else if (this.#state === "size") {
      if (!/^[\da-fA-F]{1,8}$/.test(line)) throw new Error(`a chunk of the size ${JSON.stringify(line)}`);
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? "trailers" : "data";
    } else if (line === "") this.complete = true;
    return end + 2;
  }
}
