/** What a definition may name: messages, requests with a result, and streams of items; and the types that tell them apart. */
import type { Connection } from "../api/connection.ts";
import { isSchema } from "./standard.ts";
import type { Sent, StandardSchema } from "./standard.ts";

/** Schemas of payloads, by name. */
export type Schemas = Readonly<Record<string, StandardSchema>>;

/** A request with one answer. */
export interface RequestSchemas {
  /** The request's payload. */
  readonly payload: StandardSchema;
  /** The answer. */
  readonly result: StandardSchema;
  readonly item?: undefined;
}

/** A request with a stream of answers. */
export interface StreamSchemas {
  /** The request's payload. */
  readonly payload: StandardSchema;
  /** Each item of the answer. */
  readonly item: StandardSchema;
  readonly result?: undefined;
}

/** What clients ask: requests with one result each, and streams of items. */
export type Requests = Readonly<Record<string, RequestSchemas | StreamSchemas>>;

/** What a server sends: messages, and requests that the client answers. */
export type ServerEntries = Readonly<Record<string, StandardSchema | RequestSchemas>>;

/** The part of a server's connection that a request to its client uses. */
export type AskedConnection = Pick<Connection, "protocol" | "phase" | "signal" | "send">;

/** The names of one kind of entry. */
export type NamesOf<Entries, Kind> = { [Name in keyof Entries]: Entries[Name] extends Kind ? Name : never }[keyof Entries] & string;

/** The payload as an argument: optional if the schema accepts undefined. */
export type Payload<Schema extends StandardSchema> = undefined extends Sent<Schema> ? [payload?: Sent<Schema>] : [payload: Sent<Schema>];

/** The payload of a message to the client, as an argument. */
export type MessagePayload<Entries extends ServerEntries, Name extends keyof Entries> = Payload<Extract<Entries[Name], StandardSchema>>;

/** @throws TypeError for an entry of `toServer` or `toClient` that is not a schema. */
export function checkSchemas(where: string, schemas: Readonly<Record<string, unknown>>): void {
  for (const [name, schema] of Object.entries(schemas)) {
    if (!isSchema(schema)) {
      throw new TypeError(`defineMessages: ${where}.${name} must be a Standard Schema (zod, valibot, arktype, …), version 1 [EW534]`);
    }
  }
}

/** @throws TypeError for a request that has neither a result nor an item, or both. */
export function checkRequest(where: string, entry: Partial<Record<"payload" | "result" | "item", unknown>> | null | undefined): void {
  const { payload, result, item } = entry ?? {};
  if (result !== undefined && item !== undefined) {
    throw new TypeError(`defineMessages: ${where} has both result and item: use result for one answer, item for a stream [EW535]`);
  }
  checkSchemas(where, item === undefined ? { payload, result } : { payload, item });
}

/** @throws TypeError for an entry of `toClient` that is neither a schema nor `{ payload, result }`. */
export function checkServerEntry(name: string, entry: StandardSchema | RequestSchemas): void {
  if (entry instanceof Object && "payload" in entry) checkSchemas(`toClient.${name}`, { payload: entry.payload, result: entry.result });
  else checkSchemas("toClient", { [name]: entry });
}

/** Names come from the wire, and from JavaScript: inherited properties don't count. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The entry of that name, if it has the field that tells its kind: "~standard" a schema's, "result" a request's, "item" a stream's. @throws TypeError */
export function known<Entry extends object, Field extends "~standard" | "result" | "item">(
  where: string,
  entries: Readonly<Record<string, Entry>>,
  name: string,
  field: Field,
): Extract<Entry, { readonly [Key in Field]: unknown }> {
  const has = (one: string): boolean => (own(entries, one) as Partial<Record<Field, unknown>> | undefined)?.[field] !== undefined;
  if (has(name)) return entries[name] as never;
  const kind = field === "~standard" ? "" : ` with "${field}"`;
  throw new TypeError(`${where} has no "${name}"${kind}: names are ${Object.keys(entries).filter(has).join(", ") || "none"} [EW536]`);
}
