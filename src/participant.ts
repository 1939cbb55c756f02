/** A connection's place in its room: its topics, and the member that it speaks for. */
import { checkName } from "./text.ts";
import { Outflow } from "./outflow.ts";
import { publish } from "./publish.ts";
import { encodePresent } from "./presence.ts";
import type { Present } from "./presence.ts";
import { replay } from "./replay.ts";
import type { SubscribeOptions } from "./replay.ts";
import type { Connection, Sendable } from "./types.ts";
import type { LocalRoom, Replay, Rooms } from "./room-types.ts";

export abstract class Participant<State, Env> extends Outflow<State, Env> {
  get rooms(): Rooms {
    return this.server;
  }

  get room(): LocalRoom<State, Env> {
    return this.server.lives.room(this.roomName);
  }

  subscribe(topic: string): void;
  subscribe(topic: string, options: SubscribeOptions): Replay;
  subscribe(topic: string, options?: SubscribeOptions): Replay | void {
    checkName("topic", topic, this.server.settings.maxName);
    this.server.needRooms("subscribe");
    if (options?.history !== undefined) return replay(this.server, this.live, topic, options, () => this.#addTopic(topic));
    if (this.phase !== "open" || this.topics.has(topic)) return;
    this.#addTopic(topic);
    this.server.index.subscribe(this.roomName, topic, this.live);
  }

  #addTopic(topic: string): void {
    const { maxTopics } = this.server.settings;
    if (this.topics.size >= maxTopics)
      throw new RangeError(`the connection has ${maxTopics} topics already: option "maxTopics" allows no more`);
    const topics = this.ownTopics;
    topics.add(topic);
    this.store(() => topics.delete(topic));
  }

  unsubscribe(topic: string): void {
    checkName("topic", topic);
    this.server.needRooms("unsubscribe");
    if (!this.topics.has(topic)) return;
    this.ownTopics.delete(topic);
    this.unwanted(topic);
    this.server.index.unsubscribe(this.roomName, topic, this.live);
    if (this.phase === "open") this.storeClosing();
  }

  publish(topic: string | readonly string[], data: Sendable): number {
    return publish(this.server, this.roomName, topic, data, this.live);
  }

  peers(): Iterable<Connection<State, Env>> {
    return this.server.index.peers(this.roomName);
  }

  present(member: string, state?: unknown): void {
    checkName("member", member);
    this.server.needRooms("present");
    const { presence } = this.server;
    const said = { member, state, at: presence.next() };
    const encoded = encodePresent(said);
    if (this.phase !== "open") return;
    this.#say(encoded, said);
  }

  absent(): void {
    this.server.needRooms("absent");
    if (this.phase === "open" && this.presence !== undefined) this.#say(undefined, undefined);
  }

  #say(encoded: string | undefined, said: Present | undefined): void {
    const before = this.presence;
    const members = this.server.presence.of(this.roomName);
    this.presence = encoded;
    this.store(() => (this.presence = before));
    this.server.presence.change(members, this.live, before, said);
  }

  /** It is closing, or over: in no room, of no member. */
  protected leave(): void {
    const { index } = this.server;
    const before = this.presence;
    if (before === undefined) return index.leave(this.roomName, this.live);
    const { presence } = this.server;
    const members = presence.of(this.roomName);
    index.leave(this.roomName, this.live);
    this.presence = undefined;
    presence.change(members, this.live, before, undefined);
  }
}
