/**
 * Who is in a room: members, by the ids that their connections gave; several connections of one member count once. Stored with each
 * connection, so that nobody counts without a socket: after an eviction, the members are rebuilt from the remaining connections.
 */
import type { Hooks } from "../api/handler.ts";
import type { Clock } from "../ports.ts";
import type { RoomIndex } from "./room-index.ts";
import type { Declaring, SharedRooms } from "./shared.ts";
import type { Connection } from "../connection/connection.ts";
import { encode } from "../values/codec.ts";
import { ownText } from "../values/text.ts";
import type { Member, PresenceDiff } from "../api/room.ts";
import { encodeDeclaration, decodeDeclaration } from "../connection/member.ts";
import type { Declaration, EncodedDeclaration } from "../connection/member.ts";

/** A member's connections (of other servers: what stands for them), with the latest declaration of each. */
type Declarations = Map<Declaring, Declaration>;
type Members = Map<string, Declarations>;

/** What is needed of the registry. */
export interface PresenceRooms<State, Env> {
  readonly host: { readonly clock: Clock; readonly hooks: Hooks<State, Env> };
  readonly index: RoomIndex<State, Env>;
  /** Undefined if rooms are on this server alone. */
  readonly shared: Pick<SharedRooms<State, Env>, "presentElsewhere"> | undefined;
}

export class Presence<State, Env> {
  readonly #all: PresenceRooms<State, Env>;
  readonly #rooms = new Map<string, Members>();
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
  of(room: string): Members {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const members: Members = new Map();
    const connections = this.#all.index.members(room);
    for (const connection of connections) {
      if (connection.presence === undefined) continue;
      put(members, connection, this.#known(connection.presence));
    }
    for (const [one, encoded] of this.#all.shared?.presentElsewhere(room) ?? []) put(members, one, this.#known(encoded));
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
  change(members: Members, connection: Declaring, before: string | undefined, now: Declaration | undefined): PresenceDiff | undefined {
    const former = before === undefined ? undefined : decodeDeclaration(before).member;
    const ids = new Set([former, now?.member].filter((id) => id !== undefined));
    const hasHook = this.#all.host.hooks.presence !== undefined;
    const changes = hasHook ? Array.from(ids, (id) => ({ id, from: lookUp(members, id) })) : [];
    if (former !== undefined && former !== now?.member) remove(members, former, connection);
    if (now !== undefined) put(members, connection, now);
    return diffOf(changes.map(({ id, from }) => ({ from, to: lookUp(members, id) })));
  }

  /** Someone of another server declares a member, or withdraws it. Call it before `presentElsewhere` says so. */
  changeElsewhere(room: string, one: Declaring, before: string | undefined, now: string | undefined): PresenceDiff | undefined {
    return this.change(this.of(room), one, before, now === undefined ? undefined : this.#known(now));
  }

  /** Later declarations have a larger `at`. */
  #known(encoded: string): Declaration {
    const declaration = decodeDeclaration(encoded);
    this.#last = Math.max(this.#last, declaration.at);
    return declaration;
  }

  /** The room has no connections any more. */
  forget(room: string): void {
    this.#rooms.delete(room);
  }
}

function put(members: Members, connection: Declaring, declaration: Declaration): void {
  const declarations = members.get(declaration.member);
  if (declarations === undefined) members.set(declaration.member, new Map([[connection, declaration]]));
  else declarations.set(connection, declaration);
}

function remove(members: Members, id: string, connection: Declaring): void {
  const declarations = members.get(id);
  if (declarations?.delete(connection) === true && declarations.size === 0) members.delete(id);
}

function lookUp(members: Members, id: string): Member | undefined {
  const declarations = members.get(id);
  return declarations === undefined ? undefined : shown(id, declarations);
}

/** The latest declaration of the connections that are still here. */
function shown(id: string, declarations: Declarations): Member {
  let latest: Declaration | undefined;
  let by = "";
  for (const [{ id: one }, declaration] of declarations) {
    // Two servers may give the same `at`: all of them choose alike.
    if (latest !== undefined && (declaration.at < latest.at || (declaration.at === latest.at && one < by))) continue;
    latest = declaration;
    by = one;
  }
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
