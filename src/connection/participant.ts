/** A connection's place in its room: its topics, and the member that it speaks for. */
import { checkPublish } from "../values/topics.ts";
import { checkName, ownText } from "../values/text.ts";
import { Outflow } from "./outflow.ts";
import type { Presence } from "../rooms/presence.ts";
import type { Said } from "./member.ts";
import type { SubscribeOptions } from "../history/replay.ts";
import type { Connection, Sendable } from "../api/connection.ts";
import type { LocalRoom, PresenceDiff, Rooms } from "../api/room.ts";
import type { Replay } from "../api/history.ts";

export abstract class Participant<State, Env> extends Outflow<State, Env> {
  get rooms(): Rooms {
    return this.server;
  }

  get room(): LocalRoom<State, Env> {
    return this.server.local(this.roomName);
  }

  subscribe(topic: string): void;
  subscribe(topic: string, options: SubscribeOptions): Replay;
  subscribe(topic: string, options?: SubscribeOptions): Replay | void {
    checkName("topic", topic, this.server.settings.maxName);
    const commons = this.server.needRooms("subscribe");
    const own = ownText(topic);
    if (options?.history !== undefined) return commons.replay(this.live, own, options, () => this.#addTopic(own));
    if (this.phase !== "open" || this.topics.has(topic)) return;
    this.#addTopic(own);
    commons.index.subscribe(this.roomName, own, this.live);
  }

  #addTopic(topic: string): void {
    const { maxTopics } = this.server.settings;
    if (this.topics.size >= maxTopics)
      throw new RangeError(`the connection has ${maxTopics} topics already: option "maxTopics" allows no more`);
    this.addTopic(topic);
  }

  unsubscribe(topic: string): void {
    checkName("topic", topic);
    const { index } = this.server.needRooms("unsubscribe");
    if (!this.topics.has(topic)) return;
    this.removeTopic(topic);
    // Fewer topics always fit: where nothing is stored there is nothing to check.
    if (this.phase === "open" && this.socket.save !== undefined) this.store(() => this.addTopic(topic));
    this.unwanted(topic);
    index.unsubscribe(this.roomName, topic, this.live);
  }

  publish(topic: string | readonly string[], data: Sendable): number {
    checkPublish(topic, data);
    return this.server.needRooms("publish").publish(this.roomName, topic, data, this.live);
  }

  peers(): Iterable<Connection<State, Env>> {
    const { commons } = this.server;
    if (commons !== undefined) return commons.index.peers(this.roomName);
    return new Set(this.phase === "open" ? [this.live] : []);
  }

  present(member: string, state?: unknown): void {
    checkName("member", member);
    const { presence } = this.server.needRooms("present");
    const said = presence.say(member, state);
    if (this.phase === "open") this.#say(presence, said);
  }

  absent(): void {
    const { presence } = this.server.needRooms("absent");
    if (this.phase === "open" && this.presence !== undefined) this.#say(presence, undefined);
  }

  #say(presence: Presence<State, Env>, said: Said | undefined): void {
    this.server.commons?.deferred.checkDepth(said === undefined ? "absent" : "present");
    const before = this.presence;
    const members = presence.of(this.roomName);
    this.presence = said?.encoded;
    this.store(() => (this.presence = before));
    this.tell(presence.change(members, this.live, before, said));
  }

  /** It is closing, or over: in no room, of no member. Returns what the `presence` hook is to be told. */
  protected leave(): PresenceDiff | undefined {
    const { commons } = this.server;
    if (commons === undefined) return;
    const before = this.presence;
    if (before === undefined) return void commons.index.leave(this.roomName, this.live);
    const { presence, index } = commons;
    const members = presence.of(this.roomName);
    index.leave(this.roomName, this.live);
    const diff = presence.change(members, this.live, before, undefined);
    this.presence = undefined;
    return diff;
  }

  protected tell(diff: PresenceDiff | undefined): void {
    if (diff !== undefined) this.server.commons?.tell(this.roomName, diff);
  }
}
