/**
 * Presence of typed messages: a topic that says who is in the room, and every change of that. A definition that has none of it loads none of it.
 */
import type { Sendable, SendResult } from "../../api/connection.ts";
import type { Member, PresenceDiff } from "../../api/room.ts";
import { codecOf } from "../codec.ts";
import type { Codec } from "../codec.ts";
import type { PresenceFrame, SentMember } from "../frame.ts";
import type { Parser } from "../parse.ts";
import { makePresence } from "./presence-list.ts";
import type { Presence } from "./presence-list.ts";
import { anything, isSchema } from "../standard.ts";
import type { StandardSchema } from "../standard.ts";

/** What `defineMessages({ presence })` takes. */
export interface PresenceDefinition<State extends StandardSchema = StandardSchema> {
  readonly state: State;
  /** The server's side. @throws TypeError for an invalid topic. */
  makeTopic(topic: string, codecs: readonly Codec[], shared: Codec, check: Check): PresenceTopic;
  /** The client's side. */
  makeLists(parse: Parser, refuse: (error: unknown) => void): Presence;
}

/** Checks what is sent, if the definition says so. @throws TypeError */
type Check = (schema: StandardSchema, name: string, payload: unknown) => void;

/** A `presence` hook, or what the handler's own hook calls. */
export interface PresenceTopic {
  /** Publishes the change to the topic. @throws the codec's error for a state that it can't encode. */
  (room: { publish(topic: string, data: Sendable, options: { readonly key: string }): unknown }, diff: PresenceDiff): void;
  /**
   * Subscribes the connection to the topic, and sends it the members that are present: it misses no change, and gets none twice.
   * @throws what `connection.subscribe` throws, and the codec's error for a state that it can't encode.
   */
  subscribe(connection: PresenceReader): void;
}

/** The part of a connection that is used. */
interface PresenceReader {
  readonly protocol: string;
  readonly room: { presence(): readonly Member[] };
  subscribe(topic: string): void;
  send(data: Sendable): SendResult;
}

/**
 * Has a definition name who is in the room: `defineMessages({ presence: presence(z.object({ typing: z.boolean() })) })`.
 * @param state the schema of a member's state, which clients check. Default: anything.
 * @throws TypeError if it is not a Standard Schema.
 */
export function presence<State extends StandardSchema = StandardSchema>(state: State = anything as State): PresenceDefinition<State> {
  if (!isSchema(state)) throw new TypeError("presence takes a Standard Schema (zod, valibot, arktype, …), version 1 [EW556]");
  return {
    state,
    makeTopic: (topic, codecs, shared, check) => presenceTopic(topic, codecs, shared, (value) => check(state, "presence", value)),
    makeLists: (parse, refuse) => makePresence(state, parse, refuse),
  };
}

function presenceTopic(topic: string, codecs: readonly Codec[], shared: Codec, checkState: (state: unknown) => void): PresenceTopic {
  if (typeof topic !== "string" || topic === "") throw new TypeError("messages.presence takes a topic: a string that is not empty [EW557]");
  const shown = ({ id, state, connections }: Member): SentMember => {
    checkState(state);
    return { id, state, connections };
  };
  let changes = 0;
  const publish = (room: Parameters<PresenceTopic>[0], { joined, left, updated }: PresenceDiff): void => {
    const frame: PresenceFrame = {
      type: "presence",
      topic,
      ...(joined.length > 0 ? { joined: joined.map(shown) } : {}),
      ...(left.length > 0 ? { left: left.map(({ id }) => id) } : {}),
      ...(updated.length > 0 ? { updated: updated.map(shown) } : {}),
    };
    // Each is needed: none is left out for a later one when a client reads slowly.
    room.publish(topic, shared.encode(frame), { key: String(++changes) });
  };
  const subscribe = (connection: PresenceReader): void => {
    const frame: PresenceFrame = { type: "presence", topic, members: connection.room.presence().map(shown) };
    // Before it is subscribed: encoding may fail.
    const data = codecOf(codecs, connection.protocol).encode(frame);
    connection.subscribe(topic);
    connection.send(data);
  };
  return Object.assign(publish, { subscribe });
}
