/**
 * Who is in a room: members, by the ids that their connections gave; several connections of one member count once. Stored with each
 * connection, so that nobody counts without a socket: after an eviction, the members are rebuilt from the remaining connections.
 */
import type { Hooks } from "../api/handler.ts";
import type { Clock } from "../ports.ts";
import type { RoomIndex } from "./room-index.ts";
import type { Connection } from "../connection/connection.ts";
import { encode } from "../values/codec.ts";
import { ownText } from "../values/text.ts";
import type { Member, PresenceDiff } from "../api/room.ts";
import { encodeDeclaration, decodeDeclaration } from "../connection/member.ts";
import type { Declaration, EncodedDeclaration } from "../connection/member.ts";

/** A member's connections, with the latest declaration of each. */
type Declarations<State, Env> = Map<Connection<State, Env>, Declaration>;
type Members<State, Env> = Map<string, Declarations<State, Env>>;

/** What is needed of the registry. */
export interface PresenceRooms<State, Env> {
  readonly host: { readonly clock: Clock; readonly hooks: Hooks<State, Env> };
  readonly index: RoomIndex<State, Env>;
}

export class Presence<State, Env> {
  readonly #all: PresenceRooms<State, Env>;
  readonly #rooms = new Map<string, Members<State, Env>>();
  #last = 0;

  constructor(rooms: PresenceRooms<State, Env>) {
    this.#all = rooms;
  }

  /** Throws what `encodeDeclaration` does. Later declarations have a larger `at`, even after an eviction. */
  declare(member: string, state: unknown): EncodedDeclaration {
    const declaration = { member: ownText(member), state, at: Math.max(this.#all.host.clock.now(), this.#last + 1) };
    this.#last = declaration.at;
    return { ...declaration, encoded: encodeDeclaration(declaration) };
  }

  members(room: string): readonly Member[] {
    return Array.from(this.of(room), ([id, declarations]) => shown(id, declarations));
  }

  /**
   * Built on first use, which must come before a connection's declaration changes. Members that were declared before an eviction are not
   * reported again.
   */
  of(room: string): Members<State, Env> {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const members: Members<State, Env> = new Map();
    const connections = this.#all.index.members(room);
    for (const connection of connections) {
      if (connection.presence === undefined) continue;
      const declaration = decodeDeclaration(connection.presence);
      this.#last = Math.max(this.#last, declaration.at);
      put(members, connection, declaration);
    }
    if (connections.size > 0) this.#rooms.set(room, members);
    return members;
  }

  /** A connection has woken after the members were built: earlier ones may already have ended. */
  restored(connection: Connection<State, Env>): void {
    const members = this.#rooms.get(connection.roomName);
    if (members !== undefined && connection.presence !== undefined) put(members, connection, decodeDeclaration(connection.presence));
  }

  /**
   * A connection declares its member, or (without `now`) withdraws it; `before` is its previous declaration.
   * @returns the change for the `presence` hook.
   */
  change(
    members: Members<State, Env>,
    connection: Connection<State, Env>,
    before: string | undefined,
    now: Declaration | undefined,
  ): PresenceDiff | undefined {
    const former = before === undefined ? undefined : decodeDeclaration(before).member;
    const ids = new Set([former, now?.member].filter((id) => id !== undefined));
    const hasHook = this.#all.host.hooks.presence !== undefined;
    const changes = hasHook ? Array.from(ids, (id) => ({ id, from: lookUp(members, id) })) : [];
    if (former !== undefined && former !== now?.member) remove(members, former, connection);
    if (now !== undefined) put(members, connection, now);
    return diffOf(changes.map(({ id, from }) => ({ from, to: lookUp(members, id) })));
  }

  /** The room has no connections any more. */
  forget(room: string): void {
    this.#rooms.delete(room);
  }
}

function put<State, Env>(members: Members<State, Env>, connection: Connection<State, Env>, declaration: Declaration): void {
  const declarations = members.get(declaration.member);
  if (declarations === undefined) members.set(declaration.member, new Map([[connection, declaration]]));
  else declarations.set(connection, declaration);
}

function remove<State, Env>(members: Members<State, Env>, id: string, connection: Connection<State, Env>): void {
  const declarations = members.get(id);
  if (declarations?.delete(connection) === true && declarations.size === 0) members.delete(id);
}

function lookUp<State, Env>(members: Members<State, Env>, id: string): Member | undefined {
  const declarations = members.get(id);
  return declarations === undefined ? undefined : shown(id, declarations);
}

/** The latest declaration of the connections that are still here. */
function shown<State, Env>(id: string, declarations: Declarations<State, Env>): Member {
  let latest: Declaration | undefined;
  for (const declaration of declarations.values()) if (latest === undefined || declaration.at > latest.at) latest = declaration;
  return { id, state: latest?.state, connections: declarations.size };
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
