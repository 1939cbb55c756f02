/**
 * Fields one after the other, each a netstring: `5:hello`. Scripts and this side write and read them alike. Text is UTF-8, and bytes stay bytes: fields are
 * joined to one text where all are, since clients send a text faster.
 */
import type { Data } from "../../src/api/connection.ts";
import { buffers, bytesOf } from "./buffer.ts";
import type { Bytes } from "./buffer.ts";

/** What a command takes. */
export type Argument = string | Bytes;

/** Joins fields. */
export function pack(...fields: readonly (string | number | Argument)[]): Argument {
  const parts = fields.map((field) => {
    if (typeof field === "number") return packText(String(field));
    return typeof field === "string" ? packText(field) : [`${field.byteLength}:`, field];
  });
  return join(parts.flat());
}

/** Puts what is packed already behind each other. */
export function join(parts: readonly Argument[]): Argument {
  if (parts.every((part) => typeof part === "string")) return parts.join("");
  const { from, concat } = buffers();
  return concat(parts.map((part) => (typeof part === "string" ? from(part, "utf8") : part)));
}

function packText(text: string): string {
  return `${buffers().byteLength(text)}:${text}`;
}

/** A message, with a letter for its kind. */
export function packData(data: Data): Argument {
  return typeof data === "string" ? `s${data}` : join(["b", bytesOf(data)]);
}

const colon = 0x3a;
const zero = 0x30;

/** Reads fields in order. @throws RangeError behind the last one. */
export class Reader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytesOf(bytes);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  #range(): readonly [start: number, end: number] {
    let length = 0;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("redis: an answer is cut short [EW416]");
      if (byte === colon) break;
      length = length * 10 + byte - zero;
    }
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError("redis: an answer is cut short [EW416]");
    return [start, this.#at];
  }

  text(): string {
    const [start, end] = this.#range();
    return this.#bytes.toString("utf8", start, end);
  }

  number(): number {
    return Number(this.text());
  }

  /** A field that is fields itself. */
  reader(): Reader {
    const [start, end] = this.#range();
    return new Reader(this.#bytes.subarray(start, end));
  }

  /** What `packData` made. */
  data(): Data {
    const [start, end] = this.#range();
    if (this.#bytes[start] !== "b".charCodeAt(0)) return this.#bytes.toString("utf8", start + 1, end);
    return new Uint8Array(this.#bytes.subarray(start + 1, end));
  }

  /** As many as the next field says. */
  list<Item>(read: (reader: Reader) => Item): Item[] {
    return Array.from({ length: this.number() }, () => read(this));
  }
}
