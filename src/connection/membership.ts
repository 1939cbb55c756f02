/** A connection's place in its room: its topics and its member. */
import type { Connection, Sendable } from "../api/connection.ts";
import type { Replay } from "../api/history.ts";
import type { PresenceDiff, PublishOptions } from "../api/room.ts";
import { checkName, ownText } from "../values/text.ts";
import { checkPublish } from "../values/topics.ts";
import type { EncodedDeclaration } from "./member.ts";
import type { SendingConnection } from "./sending.ts";
import { addTopic, removeTopic, store } from "./stored.ts";
import type { Membership, SubscribeOptions } from "./surroundings.ts";

/** It has no fields of its own: they belong to what is stored, or to sending. */
type MemberConnection<State, Env> = SendingConnection<State, Env>;

export function subscribe<State, Env>(
  connection: MemberConnection<State, Env>,
  topic: string,
  options: SubscribeOptions | undefined,
): Replay | undefined {
  const { surroundings } = connection;
  checkName("topic", topic, surroundings.settings.maxName);
  const registry = surroundings.needRooms("subscribe");
  const own = ownText(topic);
  const { phase, topics } = connection;
  const exists = topics.has(topic);
  try {
    if (options?.history !== undefined) return registry.replay(connection, own, options, () => addNewTopic(connection, own));
    if (phase !== "open" || exists) return undefined;
    addNewTopic(connection, own);
    registry.subscribe(connection, own);
    return undefined;
  } catch (error) {
    // With delivery the log that it reads may be unreadable, after the topic was added.
    if (!exists && connection.topics.has(topic)) removeTopic(connection, own);
    throw error;
  }
}

function addNewTopic<State, Env>(connection: MemberConnection<State, Env>, topic: string): void {
  const { maxTopics } = connection.surroundings.settings;
  if (connection.topics.size >= maxTopics)
    throw new RangeError(`the connection already has ${maxTopics} topics: option "maxTopics" allows no more [EW205]`);
  connection.socket.reader?.admit(topic);
  addTopic(connection, topic);
}

export function unsubscribe<State, Env>(connection: MemberConnection<State, Env>, topic: string): void {
  checkName("topic", topic);
  const registry = connection.surroundings.needRooms("unsubscribe");
  if (!connection.topics.has(topic)) return;
  removeTopic(connection, topic);
  // Fewer topics always fit: if nothing is stored, there is nothing to check.
  if (connection.phase === "open" && connection.socket.save !== undefined) store(connection, () => addTopic(connection, topic));
  connection.coalescing?.forget(topic);
  registry.unsubscribe(connection, topic);
}

export function publish<State, Env>(
  connection: MemberConnection<State, Env>,
  topic: string | readonly string[],
  data: Sendable,
  options: PublishOptions | undefined,
): number {
  checkPublish(topic, data);
  return connection.surroundings.needRooms("publish").publish(connection.roomName, topic, data, connection, options);
}

export function peers<State, Env>(connection: MemberConnection<State, Env>): Iterable<Connection<State, Env>> {
  const { registry } = connection.surroundings;
  if (registry !== undefined) return registry.peers(connection.roomName);
  return new Set(connection.phase === "open" ? [connection] : []);
}

export function present<State, Env>(connection: MemberConnection<State, Env>, member: string, state: unknown): void {
  checkName("member", member);
  const registry = connection.surroundings.needRooms("present");
  const declaration = registry.declare(member, state);
  if (connection.phase === "open") setPresence(connection, registry, declaration);
}

export function absent<State, Env>(connection: MemberConnection<State, Env>): void {
  const registry = connection.surroundings.needRooms("absent");
  if (connection.phase === "open" && connection.presence !== undefined) setPresence(connection, registry, undefined);
}

function setPresence<State, Env>(
  connection: MemberConnection<State, Env>,
  registry: Membership<State, Env>,
  declaration: EncodedDeclaration | undefined,
): void {
  registry.present(connection, declaration, () => {
    const before = connection.presence;
    connection.presence = declaration?.encoded;
    store(connection, () => (connection.presence = before));
  });
}

/** The connection is closing or has ended: removes it from its room and its member. Returns the change for the `presence` hook. */
export function leave<State, Env>(connection: MemberConnection<State, Env>): PresenceDiff | undefined {
  const diff = connection.surroundings.registry?.leave(connection);
  connection.presence = undefined;
  return diff;
}

export function tell<State, Env>(connection: MemberConnection<State, Env>, diff: PresenceDiff | undefined): void {
  if (diff !== undefined) connection.surroundings.registry?.tell(connection.roomName, diff);
}
