/** `defineMessages`: what a server and its clients say to each other, written once and used by both. */
import type { Data, Sendable, SendResult } from "../api/connection.ts";
import type { HistoryEncoder } from "../api/history.ts";
import type { BroadcastOptions, PublishOptions } from "../api/room.ts";
import { codecOf, json } from "./codec.ts";
import type { Codec } from "./codec.ts";
import { invalidPayload } from "./error.ts";
import { positionedBy } from "./topics/positioned.ts";
import type { PresenceDefinition, PresenceTopic } from "./topics/presence.ts";
import { checkRequest, checkSchemas, checkServerEntry, known } from "./entries.ts";
import type { AskedConnection, MessagePayload, NamesOf, Payload, Requests, RequestSchemas, Schemas, ServerEntries } from "./entries.ts";
import type { RequestOptions } from "./exchange.ts";
import type { Received, StandardSchema } from "./standard.ts";

export type None = Readonly<Record<never, never>>;

/** What `defineMessages` takes. */
export interface Definition<ToServer, ToClient, Asked, State extends StandardSchema = StandardSchema> {
  /** Messages that clients send, by name. */
  readonly toServer?: ToServer;
  /** What the server sends, by name: the schema of a message, or `{ payload, result }` of a request that the client answers. */
  readonly toClient?: ToClient;
  /** Requests that clients send, by name: `{ payload, result }`, or `{ payload, item }` for an answer that is a stream of items. */
  readonly requests?: Asked;
  /** `presence(schema)`, with the schema of a member's state, if there are topics that say who is in the room. */
  readonly presence?: PresenceDefinition<State>;
  /** In order of preference. Default: `[json]`. */
  readonly codecs?: readonly Codec[];
  /**
   * Also checks outgoing payloads against their schema, and throws a TypeError if they don't match. Default: false. The receiver always
   * checks, and the compiler has checked the sender: this is for tests and development.
   */
  readonly checkSent?: boolean;
}

type Topics = string | readonly string[];

/** The part of `Messages` that is the same for all of them. */
export interface AnyMessages {
  readonly toServer: Schemas;
  readonly toClient: ServerEntries;
  readonly requests: Requests;
  readonly codecs: readonly Codec[];
  /** The codecs' subprotocols, which a client offers. */
  readonly protocols: string[];
  /** The codec that every client can read: the only one, or JSON. */
  readonly shared: Codec;
  readonly presenceDefinition: PresenceDefinition | undefined;
  /** Checks an outgoing payload if the definition has `checkSent`. @throws TypeError */
  checkSent(schema: StandardSchema, name: string, payload: unknown): void;
}

/** What `defineMessages` returns: both sides import it. */
export interface Messages<
  ToServer extends Schemas = Schemas,
  ToClient extends ServerEntries = ServerEntries,
  Asked extends Requests = Requests,
  State extends StandardSchema = StandardSchema,
> extends AnyMessages {
  readonly toServer: ToServer;
  readonly toClient: ToClient;
  readonly requests: Asked;
  readonly presenceDefinition: [State] extends [never] ? undefined : PresenceDefinition<State>;
  /** Encodes a message for any client: for a topic, a room or a broker. @throws the codec's error if it can't encode the message. */
  encode<Name extends NamesOf<ToClient, StandardSchema>>(name: Name, ...payload: MessagePayload<ToClient, Name>): Data;
  /** Sends to one client, in its codec. */
  send<Name extends NamesOf<ToClient, StandardSchema>>(
    connection: { readonly protocol: string; send(data: Sendable): SendResult },
    name: Name,
    ...payload: MessagePayload<ToClient, Name>
  ): SendResult;
  /**
   * Asks a client, and resolves to its answer. Works in every hook, `open` included, and wherever else there is a connection of a handler that
   * `messageHandler` made of these messages. Rejects with a MessageError: the client's error, or one with these codes. `unknown-name`: the client has no
   * handler. `invalid-payload`: the result's schema refuses the answer. `deadline`, `closed`. `interrupted`: an eviction has forgotten the connection.
   * `not-sent`: the client reads too slowly. `too-many-requests`: 100 are pending.
   */
  request<Name extends NamesOf<ToClient, RequestSchemas>>(
    connection: AskedConnection,
    name: Name,
    ...payload: [...Payload<Extract<ToClient[Name], RequestSchemas>["payload"]>, options?: RequestOptions]
  ): Promise<Received<Extract<ToClient[Name], RequestSchemas>["result"]>>;
  /**
   * Sends to every subscriber of the topic or topics, encoded once, except the given connection, and those in `options`. With a `key` it replaces
   * only what waits of the same key. Returns a promise for a Room, and a number for a connection or a hook's LocalRoom.
   */
  publish<Result, Name extends NamesOf<ToClient, StandardSchema>>(
    target: { publish(topic: Topics, data: Sendable, options?: PublishOptions): Result },
    topic: Topics,
    name: Name,
    ...payload: [...MessagePayload<ToClient, Name>, options?: PublishOptions]
  ): Result;
  /** Sends to everyone in the room, encoded once. */
  broadcast<Result, Name extends NamesOf<ToClient, StandardSchema>>(
    room: { broadcast(data: Sendable, options?: BroadcastOptions): Result },
    name: Name,
    ...payload: [...MessagePayload<ToClient, Name>, options?: BroadcastOptions]
  ): Result;
  /**
   * What a topic's history sends of a message: `history: { chat: { messages: 200, encode: messages.positioned } }`. Each message carries its
   * position, by which `messageClient` goes on after a reconnect. What was published as it is, without `messages`, passes unchanged.
   */
  readonly positioned: HistoryEncoder;
  /**
   * A topic that says who is in the room: a `presence` hook, which publishes each change, and `subscribe`, which sends a connection all members.
   * @throws TypeError for an invalid topic, or if the definition has no `presence`.
   */
  presence(topic: [State] extends [never] ? never : string): PresenceTopic;
}

const fields = ["toServer", "toClient", "requests", "presence", "codecs", "checkSent"];

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
 * @throws TypeError for an invalid schema or an unknown field, with the name.
 */
export function defineMessages<
  ToServer extends Schemas = None,
  ToClient extends ServerEntries = None,
  Asked extends Requests = None,
  State extends StandardSchema = never,
>(definition: Definition<ToServer, ToClient, Asked, State>): Messages<ToServer, ToClient, Asked, State> {
  for (const field of Object.keys(definition)) {
    if (!fields.includes(field)) throw new TypeError(`defineMessages: unknown field "${field}": use ${fields.join(", ")} [EW529]`);
  }
  const { toServer = {} as ToServer, toClient = {} as ToClient, requests = {} as Asked, codecs = [json], checkSent = false } = definition;
  const { presence } = definition;
  if (presence !== undefined && typeof presence.makeTopic !== "function")
    throw new TypeError("defineMessages: presence must be what presence(schema) returns [EW530]");
  checkSchemas("toServer", toServer);
  for (const [name, entry] of Object.entries(toClient)) checkServerEntry(name, entry);
  for (const [name, entry] of Object.entries(requests)) checkRequest(`requests.${name}`, entry);
  const [only, ...others] = codecs;
  if (only === undefined) throw new TypeError("defineMessages: codecs is empty: leave it out for JSON [EW531]");
  const shared = others.length === 0 ? only : json;

  function check(schema: StandardSchema, name: string, payload: unknown): void {
    if (!checkSent) return;
    const result = schema["~standard"].validate(payload);
    if ("then" in result) throw new TypeError(`${name}: checkSent can't wait for a schema that is asynchronous [EW532]`);
    if (result.issues !== undefined) throw new TypeError(`not sent: ${invalidPayload(name, result.issues).message}`);
  }

  function write(codec: Codec, name: string, payload: unknown): Data {
    check(known("toClient", toClient, name, "~standard"), name, payload);
    return codec.encode({ type: "message", name, payload });
  }

  return {
    toServer,
    toClient,
    requests,
    codecs,
    protocols: codecs.map(({ protocol }) => protocol),
    shared,
    presenceDefinition: presence as Messages<ToServer, ToClient, Asked, State>["presenceDefinition"],
    checkSent: check,
    encode: (name, ...[payload]) => write(shared, name, payload),
    send: (connection, name, ...[payload]) => connection.send(write(codecOf(codecs, connection.protocol), name, payload)),
    async request(connection, name, ...[payload, options]) {
      const schemas = known("toClient", toClient, name, "result");
      const { answering } = connection as { readonly answering?: Asker };
      if (answering?.speaks({ toClient }) !== true)
        throw new TypeError("request: not a connection of messageHandler with these messages [EW533]");
      return (await answering.ask(connection, name, schemas, payload, options as RequestOptions | undefined)) as never;
    },
    publish: (target, topic, name, ...[payload, options]) => target.publish(topic, write(shared, name, payload), options as PublishOptions),
    broadcast: (room, name, ...[payload, options]) => room.broadcast(write(shared, name, payload), options as BroadcastOptions),
    positioned: positionedBy(shared),
    presence(topic) {
      if (presence === undefined) throw new TypeError("presence: defineMessages needs presence: presence(schema) [EW528]");
      return presence.makeTopic(topic, codecs, shared, check);
    },
  };
}

/** The handler's part of `request`: a page has none of it. */
interface Asker {
  speaks(messages: Pick<AnyMessages, "toClient">): boolean;
  ask(connection: AskedConnection, name: string, schemas: RequestSchemas, payload: unknown, options?: RequestOptions): Promise<unknown>;
}
