/** Presence of typed messages, the client's side: who is in the room, live. */
import { badFrame, isInteger } from "../frame.ts";
import type { PresenceFrame, SentMember } from "../frame.ts";
import { listen, tell } from "../../values/listeners.ts";
import type { Parser } from "../parse.ts";
import { anything } from "../standard.ts";
import type { Received, StandardSchema } from "../standard.ts";

/** A member of a presence list. */
export interface PresentMember<State = unknown> {
  /** What the server gave to `present`. */
  readonly id: string;
  readonly state: State;
  /** How many connections the member has; 0 for one that has left. */
  readonly connections: number;
}

/** Who is in the room. A member that is the same before and after a reconnect causes no event. */
export interface PresenceList<State = unknown> extends Iterable<PresentMember<State>> {
  readonly topic: string;
  /** By id. It never changes: when a member has changed, there is another Map. */
  readonly members: ReadonlyMap<string, PresentMember<State>>;
  /** Whether that is what the server last sent. While disconnected, and until the server has sent the members again, they are the last known. */
  readonly current: boolean;
  /**
   * Listens to members that come, leave, or change state or connections. Returns a function that stops listening.
   * @throws TypeError for an unknown event.
   */
  on(event: "join" | "leave" | "update", listener: (member: PresentMember<State>) => void): () => void;
  /** Listens to any change of `members` or `current`. Returns a function that stops listening. */
  on(event: "change", listener: () => void): () => void;
}

/** The state of a member, as clients get it. */
export type PresenceState<Given> = Given extends { readonly presenceDefinition: { readonly state: infer State extends StandardSchema } }
  ? Received<State>
  : unknown;

/** The lists of a client. */
export interface Presence {
  /** The same object for the same topic. @throws TypeError for an invalid topic. */
  list(topic: string): PresenceList;
  /** @throws MessageError `bad-frame`. */
  receive(frame: PresenceFrame): void;
  /** The connection was lost, and with it changes of the members, but those of topics for which `stays` is true. */
  lost(stays?: (topic: string) => boolean): void;
}

interface List extends PresenceList {
  /** Counts the connections that were lost: what an earlier one sent is no longer applied. */
  turn: number;
  members: ReadonlyMap<string, PresentMember>;
  current: boolean;
  emit(event: string, member?: PresentMember): void;
}

/** Topics of which a server may have a client keep the members. */
const mostTopics = 100;
/** Letters of a member's id. */
const longestId = 512;

/** @param schema of a member's state. */
export function makePresence(schema: StandardSchema, parse: Parser, refuse: (error: unknown) => void): Presence {
  const lists = new Map<string, List>();
  /** What each member was made of. */
  const sentAs = new WeakMap<PresentMember, string>();

  function listOf(topic: string): List {
    const list = lists.get(topic) ?? makeList(topic);
    lists.set(topic, list);
    return list;
  }

  function apply(list: List, present: readonly PresentMember[], left: readonly string[], isWhole: boolean): void {
    const before = list.members;
    const after = new Map(isWhole ? [] : before);
    for (const id of left) after.delete(id);
    for (const member of present) {
      const known = before.get(member.id);
      after.set(member.id, known && sentAs.get(known) === sentAs.get(member) ? known : member);
    }
    const events: [event: string, member?: PresentMember][] = [];
    for (const [id, member] of before) if (!after.has(id)) events.push(["leave", { ...member, connections: 0 }]);
    for (const [id, member] of after) if (before.get(id) !== member) events.push([before.has(id) ? "update" : "join", member]);
    if (events.length > 0) list.members = after;
    else if (list.current) return;
    list.current = true;
    for (const [event, member] of [...events, ["change"] as const]) list.emit(event, member);
  }

  return {
    list(topic) {
      if (typeof topic !== "string" || topic === "") throw new TypeError("presence takes a topic: a string that is not empty [EW554]");
      return listOf(topic);
    },
    receive({ topic, members, joined, left, updated }) {
      // Anything but a list is refused as a member.
      const sent = ([] as SentMember[]).concat(members ?? joined ?? [], updated ?? []);
      const gone = ([] as string[]).concat(left ?? []);
      const isRight = sent.every((member) => isMemberId(member?.id) && isInteger(member.connections)) && gone.every(isMemberId);
      if (!isRight || (lists.size >= mostTopics && !lists.has(topic))) throw badFrame("presence of invalid members, or of too many topics");
      const list = listOf(topic);
      const { turn } = list;
      const present: PresentMember[] = [];
      for (const { id, state, connections } of sent) {
        const use = (value: unknown): void => {
          const member = { id, state: value, connections };
          sentAs.set(member, JSON.stringify([connections, state]));
          present.push(member);
        };
        // It is left out: nobody may rely on its state.
        parse(schema, topic, state, use, (error) => {
          gone.push(id);
          refuse(error);
        });
      }
      // After the states that were checked asynchronously, and after earlier frames.
      parse(anything, topic, list, () => turn === list.turn && (members || list.current) && apply(list, present, gone, !!members), refuse);
    },
    lost(stays) {
      for (const list of lists.values()) {
        if (stays?.(list.topic)) continue;
        list.turn++;
        if (list.current) {
          list.current = false;
          list.emit("change");
        }
      }
    },
  };
}

function makeList(topic: string): List {
  const listeners = new Set<(event: string, member: PresentMember) => void>();
  const list: List = {
    topic,
    turn: 0,
    members: new Map(),
    current: false,
    on(wanted: string, listener: (member: PresentMember) => void) {
      if (!/^(join|leave|update|change)$/.test(wanted)) throw new TypeError(`there is no event "${wanted}" [EW555]`);
      return listen(listeners, (event, member) => event === wanted && listener(member));
    },
    emit: (event, member) => tell(listeners, event, member as PresentMember),
    [Symbol.iterator]: () => list.members.values(),
  };
  return list;
}

function isMemberId(id: unknown): boolean {
  return typeof id === "string" && id !== "" && id.length <= longestId;
}
