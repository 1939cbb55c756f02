/** UTF-8 lengths and names: the units of limits. */

/** Bytes that a string takes as UTF-8; a lone surrogate counts as U+FFFD, three bytes. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isPair(text, index, unit)) {
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}

/** Whether the text takes more than `limit` bytes; for most texts the length alone decides. */
export function exceeds(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && utf8Length(text) > limit;
}

/** Maximum bytes of a room's or a topic's name, if a handler allows no less. */
export const longestName = 512;

/** The order of two well-formed strings' UTF-8, which is SQLite's. UTF-16 sorts surrogates before U+E000 to U+FFFF. */
export function compareUtf8(one: string, other: string): number {
  const shared = Math.min(one.length, other.length);
  for (let index = 0; index < shared; index++) {
    const [a, b] = [one.charCodeAt(index), other.charCodeAt(index)];
    if (a !== b) return surrogatesLast(a) - surrogatesLast(b);
  }
  return one.length - other.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** @throws TypeError if the name is not a well-formed string of 1 to `limit` bytes. */
export function checkName(what: "room" | "topic" | "member" | "key", name: string, limit: number = longestName): void {
  if (isName(name, limit)) return;
  throw new TypeError(
    `${what === "key" ? what : `${what} name`} ${describe(name)}: must be a well-formed string of 1 to ${limit} bytes [EW244]`,
  );
}

/** Whether it is a well-formed string of 1 to `limit` bytes. */
export function isName(name: unknown, limit: number = longestName): name is string {
  return typeof name === "string" && name !== "" && name.isWellFormed() && !exceeds(name, limit);
}

function describe(name: unknown): string {
  if (typeof name !== "string") return `is ${name === null ? "null" : typeof name}`;
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "has a lone surrogate";
  return `is ${utf8Length(name)} bytes`;
}

function isPair(text: string, index: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff || index + 1 >= text.length) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

/**
 * The same text in memory of its own, for texts that are kept. In V8 and JavaScriptCore a slice of a text (of a message, a URL, a header) is a
 * view that keeps the whole: a topic of 30 letters from a 1 MiB message would hold 1 MiB as long as anyone is subscribed.
 */
export function ownText(text: string): string {
  return text.length < shortest ? text : ` ${text}`.slice(1);
}

/** V8 copies shorter slices. */
const shortest = 13;

/** RFC 9110 section 5.6.2: the syntax of a subprotocol's name. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** A refused value for an error message, including values that JSON can't write. */
export function show(value: unknown): string {
  return typeof value === "string"
    ? `"${value}"`
    : value === null
      ? "null"
      : Array.isArray(value)
        ? "an array"
        : typeof value === "object"
          ? "an object"
          : typeof value === "function"
            ? "a function"
            : String(value);
}
