/**
 * Who is in a room: members, by the ids that their connections gave, several connections of one counted once. Kept with each
 * connection, so that nobody is counted who has no socket: after an eviction the room is put together from those that are left.
 */
import type { Commons } from "./registry.ts";
import type { Live } from "../connection/connection.ts";
import { encode } from "../values/codec.ts";
import { ownText } from "../values/text.ts";
import type { Member, PresenceDiff } from "../api/room.ts";
import { encodePresent, decodePresent } from "../connection/member.ts";
import type { Present, Said } from "../connection/member.ts";

/** A member's connections, and what each last said. */
type Places<State, Env> = Map<Live<State, Env>, Present>;
type Members<State, Env> = Map<string, Places<State, Env>>;

export class Presence<State, Env> {
  readonly #commons: Commons<State, Env>;
  readonly #rooms = new Map<string, Members<State, Env>>();
  #last = 0;

  constructor(commons: Commons<State, Env>) {
    this.#commons = commons;
  }

  /** Throws what `encodePresent` does. What is said later has a larger time, in another life too. */
  say(member: string, state: unknown): Said {
    const present = { member: ownText(member), state, at: Math.max(this.#commons.server.clock.now(), this.#last + 1) };
    this.#last = present.at;
    return { ...present, encoded: encodePresent(present) };
  }

  members(room: string): readonly Member[] {
    return Array.from(this.of(room), ([id, places]) => shown(id, places));
  }

  /**
   * Put together when it is first asked for, which must be before what a connection has said changes. Of what was said in a former
   * life nobody is told again.
   */
  of(room: string): Members<State, Env> {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const members: Members<State, Env> = new Map();
    const connections = this.#commons.index.members(room);
    for (const live of connections) {
      if (live.presence === undefined) continue;
      const present = decodePresent(live.presence);
      this.#last = Math.max(this.#last, present.at);
      place(members, live, present);
    }
    if (connections.size > 0) this.#rooms.set(room, members);
    return members;
  }

  /** A connection has woken, after the room was put together: those that woke before it may have ended already. */
  woken(live: Live<State, Env>): void {
    const members = this.#rooms.get(live.roomName);
    if (members !== undefined && live.presence !== undefined) place(members, live, decodePresent(live.presence));
  }

  /**
   * A connection says that its member is here, or (without `now`) no longer; `before` is what it said last.
   * @returns what the `presence` hook is to be told.
   */
  change(
    members: Members<State, Env>,
    live: Live<State, Env>,
    before: string | undefined,
    now: Present | undefined,
  ): PresenceDiff | undefined {
    const former = before === undefined ? undefined : decodePresent(before).member;
    const ids = new Set([former, now?.member].filter((id) => id !== undefined));
    const told = this.#commons.server.hooks.presence !== undefined;
    const changes = told ? Array.from(ids, (id) => ({ id, from: lookUp(members, id) })) : [];
    if (former !== undefined && former !== now?.member) remove(members, former, live);
    if (now !== undefined) place(members, live, now);
    return diffOf(changes.map(({ id, from }) => ({ from, to: lookUp(members, id) })));
  }

  /** Nobody is in the room any more. */
  forget(room: string): void {
    this.#rooms.delete(room);
  }
}

function place<State, Env>(members: Members<State, Env>, live: Live<State, Env>, present: Present): void {
  const places = members.get(present.member);
  if (places === undefined) members.set(present.member, new Map([[live, present]]));
  else places.set(live, present);
}

function remove<State, Env>(members: Members<State, Env>, id: string, live: Live<State, Env>): void {
  const places = members.get(id);
  if (places?.delete(live) === true && places.size === 0) members.delete(id);
}

function lookUp<State, Env>(members: Members<State, Env>, id: string): Member | undefined {
  const places = members.get(id);
  return places === undefined ? undefined : shown(id, places);
}

/** What was said last, by a connection that is still here. */
function shown<State, Env>(id: string, places: Places<State, Env>): Member {
  let latest: Present | undefined;
  for (const present of places.values()) if (latest === undefined || present.at > latest.at) latest = present;
  return { id, state: latest?.state, connections: places.size };
}

function diffOf(changes: readonly { readonly from: Member | undefined; readonly to: Member | undefined }[]): PresenceDiff | undefined {
  const joined: Member[] = [];
  const left: Member[] = [];
  const updated: Member[] = [];
  for (const { from, to } of changes) {
    if (from === undefined) joined.push(...(to === undefined ? [] : [to]));
    else if (to === undefined) left.push({ ...from, connections: 0 });
    else if (from.connections !== to.connections || encode(from.state) !== encode(to.state)) updated.push(to);
  }
  return joined.length + left.length + updated.length === 0 ? undefined : { joined, left, updated };
}
