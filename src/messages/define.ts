/** `defineMessages`: what a server and its clients say to each other, written once and used by both. */
import type { Data, Sendable, SendResult } from "../api/connection.ts";
import type { PublishOptions } from "../api/room.ts";
import { codecOf, json } from "./codec.ts";
import type { Codec } from "./codec.ts";
import { invalidPayload } from "./error.ts";
import { isSchema } from "./standard.ts";
import type { Sent, StandardSchema } from "./standard.ts";

export type Schemas = Readonly<Record<string, StandardSchema>>;

export interface RequestSchemas {
  /** What the client asks with. */
  readonly payload: StandardSchema;
  /** What the server answers. */
  readonly result: StandardSchema;
}

export type Requests = Readonly<Record<string, RequestSchemas>>;

export type None = Readonly<Record<never, never>>;

export interface Definition<ToServer, ToClient, Asked> {
  /** Messages that clients send, by name. */
  readonly toServer?: ToServer;
  /** Messages that the server sends, by name. */
  readonly toClient?: ToClient;
  /** What clients ask and the server answers, by name. */
  readonly requests?: Asked;
  /** In the order of preference. Default: `[json]`. */
  readonly codecs?: readonly Codec[];
  /**
   * Hold what is sent against its schema too, and throw a TypeError where it is not met. Default: false. The receiver checks in any
   * case, and the compiler has checked the sender: this is for tests and development.
   */
  readonly checkSent?: boolean;
}

type Topics = string | readonly string[];

/** The payload as an argument: optional where the schema takes undefined. */
export type Payload<Schema extends StandardSchema> = undefined extends Sent<Schema> ? [payload?: Sent<Schema>] : [payload: Sent<Schema>];

export interface Messages<ToServer extends Schemas = Schemas, ToClient extends Schemas = Schemas, Asked extends Requests = Requests> {
  readonly toServer: ToServer;
  readonly toClient: ToClient;
  readonly requests: Asked;
  readonly codecs: readonly Codec[];
  /** The codecs' subprotocols: what a client offers. */
  readonly protocols: string[];
  /** A message as it goes to any client: for a topic, a room or a broker. @throws as the codec does for what it can't encode. */
  encode<Name extends keyof ToClient & string>(name: Name, ...payload: Payload<ToClient[Name]>): Data;
  /** Sends to one client, in its codec. */
  send<Name extends keyof ToClient & string>(
    connection: { readonly protocol: string; send(data: Sendable): SendResult },
    name: Name,
    ...payload: Payload<ToClient[Name]>
  ): SendResult;
  /** Sends to every subscriber of the topic, or topics, encoded once: but the connection it is called with, or those that `options` leave out. */
  publish<Name extends keyof ToClient & string>(
    connection: { readonly id: string; publish(topic: Topics, data: Sendable): number },
    topic: Topics,
    name: Name,
    ...payload: Payload<ToClient[Name]>
  ): number;
  /** A Room's result is a promise, the LocalRoom's of a hook is not. */
  publish<Result, Name extends keyof ToClient & string>(
    room: { readonly name: string; publish(topic: Topics, data: Sendable, options?: PublishOptions): Result },
    topic: Topics,
    name: Name,
    ...payload: [...Payload<ToClient[Name]>, options?: PublishOptions]
  ): Result;
  /** Sends to everyone in the room, encoded once. */
  broadcast<Result, Name extends keyof ToClient & string>(
    room: { broadcast(data: Sendable, options?: PublishOptions): Result },
    name: Name,
    ...payload: [...Payload<ToClient[Name]>, options?: PublishOptions]
  ): Result;
  /** What every client can read: the only codec, or JSON. */
  readonly shared: Codec;
  /** Checks what is about to be sent, where `checkSent` asks for it. @throws TypeError */
  checkSent(schema: StandardSchema, name: string, payload: unknown): void;
}

const fields = ["toServer", "toClient", "requests", "codecs", "checkSent"];

/**
 * Defines messages, with the schemas of any Standard Schema library.
 *
 * ```ts
 * const messages = defineMessages({
 *   toServer: { say: z.object({ text: z.string().max(280) }) },
 *   toClient: { said: z.object({ from: z.string(), text: z.string() }) },
 *   requests: { history: { payload: z.object({ last: z.int() }), result: z.array(z.string()) } },
 * });
 * ```
 * @throws TypeError for what is no schema and for an unknown field, by name.
 */
export function defineMessages<ToServer extends Schemas = None, ToClient extends Schemas = None, Asked extends Requests = None>(
  definition: Definition<ToServer, ToClient, Asked>,
): Messages<ToServer, ToClient, Asked> {
  for (const field of Object.keys(definition)) {
    if (!fields.includes(field)) throw new TypeError(`defineMessages: unknown field "${field}": use ${fields.join(", ")}`);
  }
  const { toServer = {} as ToServer, toClient = {} as ToClient, requests = {} as Asked, codecs = [json], checkSent = false } = definition;
  checkSchemas("toServer", toServer);
  checkSchemas("toClient", toClient);
  for (const [name, one] of Object.entries(requests)) checkSchemas(`requests.${name}`, { payload: one?.payload, result: one?.result });
  const [only, ...others] = codecs;
  if (only === undefined) throw new TypeError("defineMessages: codecs is empty: leave it out for JSON");
  const shared = others.length === 0 ? only : json;

  function check(schema: StandardSchema, name: string, payload: unknown): void {
    if (!checkSent) return;
    const result = schema["~standard"].validate(payload);
    if ("then" in result) throw new TypeError(`${name}: checkSent can't wait for a schema that is asynchronous`);
    if (result.issues !== undefined) throw new TypeError(`not sent: ${invalidPayload(name, result.issues).message}`);
  }

  function write(codec: Codec, name: string, payload: unknown): Data {
    check(known("toClient", toClient, name), name, payload);
    return codec.encode({ type: "message", name, payload });
  }

  return {
    toServer,
    toClient,
    requests,
    codecs,
    protocols: codecs.map(({ protocol }) => protocol),
    shared,
    checkSent: check,
    encode: (name, ...[payload]) => write(shared, name, payload),
    send: (connection, name, ...[payload]) => connection.send(write(codecOf(codecs, connection.protocol), name, payload)),
    // A connection takes no options, and is given none.
    publish: ((target: Publisher, topic: Topics, name: string, payload?: unknown, options?: PublishOptions) =>
      target.publish(topic, write(shared, name, payload), options)) as unknown as Messages<ToServer, ToClient, Asked>["publish"],
    broadcast: (room, name, ...[payload, options]) => room.broadcast(write(shared, name, payload), options as PublishOptions),
  };
}

/** Names come from the wire, and from JavaScript: what every object inherits is none. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** @throws TypeError */
export function known<Value>(where: string, record: Readonly<Record<string, Value>>, name: string): Value {
  const value = own(record, name);
  if (value === undefined) throw new TypeError(`${where} has no "${name}": names are ${Object.keys(record).join(", ") || "none"}`);
  return value;
}

interface Publisher {
  publish(topic: Topics, data: Sendable, options?: PublishOptions): unknown;
}

function checkSchemas(where: string, schemas: Readonly<Record<string, unknown>>): void {
  for (const [name, schema] of Object.entries(schemas)) {
    if (!isSchema(schema)) {
      throw new TypeError(`defineMessages: ${where}.${name} must be a Standard Schema (zod, valibot, arktype, …), version 1`);
    }
  }
}
