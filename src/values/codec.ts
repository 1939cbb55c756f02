/**
 * The tagged encoding of values that must outlive memory: snapshots in a hibernating socket's attachment, and the result of
 * `upgrade` on its way to a Durable Object (`Request.cf` is JSON). JSON, plus Map, Set, Date, bigint,
 * bytes, undefined and the numbers that JSON lacks. Other values are refused on every runtime,
 * so that what works in a test works on a Durable Object.
 */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The key that marks a tagged value; an application's own object with this key is tagged "object". */
const tag = "$";

/** @throws TypeError with the path, starting at `name`, of a value that can't be stored. */
export function encode(value: unknown, name = ""): string {
  // The state of most connections.
  return value === undefined ? undefinedText : JSON.stringify(pack(value, name, []));
}

const undefinedText = JSON.stringify(tagged("undefined", null));

export function decode(text: string): unknown {
  const parsed = JSON.parse(text) as Json;
  // Searching the text for a tag costs a tenth of visiting every value.
  return text.includes(`"${tag}":`) ? unpack(parsed) : parsed;
}

function pack(value: unknown, path: string, parents: object[]): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged("number", String(Object.is(value, -0) ? "-0" : value));
    case "undefined":
      return tagged("undefined", null);
    case "bigint":
      return tagged("bigint", String(value));
    case "object":
      return value === null ? null : packObject(value, path, parents);
    default:
      throw new TypeError(`${path || "the value"} is a ${typeof value}, which can't be stored: ${allowed} [EW239]`);
  }
}

const allowed =
  "use plain objects, arrays, strings, numbers, bigint, booleans, null, undefined, Date, Map, Set, ArrayBuffer and Uint8Array";

function packObject(value: object, path: string, parents: object[]): Json {
  if (parents.includes(value))
    throw new TypeError(`${path || "the value"} refers back to an object that contains it, which can't be stored [EW240]`);
  parents.push(value);
  const packed = packKnown(value, path, parents);
  parents.pop();
  return packed;
}

function packKnown(value: object, path: string, parents: object[]): Json {
  if (Array.isArray(value)) return value.map((item, index) => pack(item, `${path}[${index}]`, parents));
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [
      pack(key, `${path} key`, parents),
      pack(item, `${path}.get(${String(key)})`, parents),
    ]);
    return tagged("Map", entries);
  }
  if (value instanceof Set)
    return tagged(
      "Set",
      [...value].map((item) => pack(item, `${path} member`, parents)),
    );
  if (value instanceof Date) return tagged("Date", Number.isNaN(value.getTime()) ? null : value.getTime());
  if (value instanceof Uint8Array) return tagged("Uint8Array", toBase64(value));
  if (value instanceof ArrayBuffer) return tagged("ArrayBuffer", toBase64(new Uint8Array(value)));
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object may come from another realm (a test runner's, a vm's) with its own Object.prototype.
  const plain = prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
  if (!plain) throw new TypeError(`${path || "the value"} is a ${value.constructor.name}, which can't be stored: ${allowed} [EW239]`);
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [
    key,
    pack(item, path === "" ? key : `${path}.${key}`, parents),
  ]);
  if (entries.some(([key]) => isEscaped.test(key))) return tagged("object", entries);
  const packed = toObject(entries);
  return tag in packed ? tagged("object", packed) : packed;
}

/**
 * Keys that JSON writes with a backslash. Once V8 has parsed an object with such a key, it may read the key as `\\` (`JSON.parse` of Node
 * 24.21, Deno 2.9.6: V8 13.6 to 15.0, measured), so they are written as values.
 */
const isEscaped = /["\\\p{Cc}\p{Cs}]/u;

function tagged(type: string, value: Json): Json {
  return { [tag]: type, value };
}

/** Changes the values in place: nobody else holds what JSON.parse has just created, and most of it is final. */
function unpack(value: Json): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return unpackEach(value);
  const type = value[tag];
  return typeof type === "string" ? unpackTagged(type, value["value"] as Json) : unpackEach(value);
}

function unpackEach<T extends object>(values: T): T {
  const items = values as { [key: string]: unknown };
  for (const key in items) {
    const item = items[key] as Json;
    if (item === null || typeof item !== "object") continue;
    const unpacked = unpack(item);
    // JSON.parse has defined it as an own property, so this assignment is safe even for "__proto__".
    if (unpacked !== item) items[key] = unpacked;
  }
  return values;
}

function unpackTagged(type: string, value: Json): unknown {
  switch (type) {
    case "undefined":
      return undefined;
    case "number":
      return Number(value);
    case "bigint":
      return BigInt(value as string);
    case "Date":
      return new Date(value === null ? Number.NaN : (value as number));
    case "Map":
      return new Map((value as [Json, Json][]).map(([key, item]) => [unpack(key), unpack(item)]));
    case "Set":
      return new Set((value as Json[]).map(unpack));
    case "Uint8Array":
      return fromBase64(value as string);
    case "ArrayBuffer":
      return fromBase64(value as string).buffer;
    case "object":
      return unpackEach(Array.isArray(value) ? toObject(value as [string, Json][]) : (value as { [key: string]: Json }));
    default:
      throw new TypeError(`a stored value is tagged "${type}", which this version of Edgewire does not know [EW241]`);
  }
}

/** Defines each key as an own property: assigning "__proto__" would set the prototype. */
function toObject(entries: readonly (readonly [string, Json])[]): { [key: string]: Json } {
  return Object.fromEntries(entries);
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Maximum size of one stored value, encoded, in bytes of UTF-8. A row of a Durable Object's SQLite holds 2 MB, its key included. */
export const maxValue: number = 1024 * 1024;
