/** A backplane that the nodes of one process share: for tests, and for trying what several nodes do. */
import { randomWord } from "../../history/random.ts";
import type { Backplane, Receiver, RoomBackplane, RoomKept } from "../backplane.ts";
import type { Mailbox } from "../mail.ts";
import type { NewTask, SettledTask } from "../tasks.ts";
import { MemoryDue } from "./due.ts";
import { MemoryRoom } from "./room.ts";
import type { MemoryKept } from "./state.ts";
import { claimLane, listTasks, putTask, removeTask, settleTask } from "./tasks.ts";
import { getValue, listValues, writeValues } from "./values.ts";

/** What is between nodes and backplane. A simulation delays, loses and repeats here. */
export interface MemoryNetwork {
  /** Carries a request to the backplane, and its answer back. */
  request<Answer>(node: string, run: () => Answer): Promise<Answer>;
  /** Carries a frame to a node. */
  frame(node: string, deliver: () => void): void;
}

/** Options of a backplane in memory. */
export interface MemoryBackplaneOptions {
  /** Milliseconds after which a silent node is dead. Default: 15 000. */
  readonly lease?: number;
  /** The time in milliseconds. Default: `Date.now`. */
  readonly now?: () => number;
  /** Of frames that no turn makes. Default: random. */
  readonly tag?: () => string;
  /** Default: everything arrives, in order, in a later microtask. */
  readonly network?: MemoryNetwork;
}

/** Everything arrives. */
const direct: MemoryNetwork = {
  request: async (_node, run) => run(),
  frame: (_node, deliver) => queueMicrotask(deliver),
};

/** A backplane in memory: the reference of the port. */
export class MemoryBackplane implements Backplane {
  readonly #options: Required<MemoryBackplaneOptions>;
  readonly #rooms = new Map<string, MemoryRoom>();
  /** By room, then by node. */
  readonly #receivers = new Map<string, Map<string, Receiver>>();
  /** By address. */
  readonly #mailboxes = new Map<string, (text: string) => void>();
  readonly due: MemoryDue;

  constructor({ lease = 15_000, now = Date.now, tag = randomWord, network = direct }: MemoryBackplaneOptions = {}) {
    this.#options = { lease, now, tag, network };
    this.due = new MemoryDue(this.#rooms, now, lease);
  }

  room(name: string, node: string, receiver: Receiver): RoomBackplane {
    const { now, tag, network } = this.#options;
    // A request finds the room as it is when it arrives.
    const at = <Answer>(run: (room: MemoryRoom) => Answer): Promise<Answer> => network.request(node, () => run(this.roomOf(name)));
    return {
      subscribe: () => at(() => void this.#subscribersOf(name).set(node, receiver)),
      join: (joining) => at((room) => room.join(node, joining, now())),
      page: (topic, after, limit) => at((room) => room.page(topic, after, limit)),
      turns: (batch) => at((room) => room.turns(batch)),
      report: (report) => at((room) => room.report(node, report, tag(), now())),
      own: (asked) => at((room) => room.own(node, asked)),
      leave: () => at((room) => this.#leave(room, name, node, tag())),
    };
  }

  kept(name: string, server: string): RoomKept {
    const { now, tag, lease, network } = this.#options;
    const at = <Answer>(run: (kept: MemoryKept) => Answer): Promise<Answer> =>
      network.request(server, () => run(this.roomOf(name).state.kept));
    const put = (kept: MemoryKept, task: NewTask): boolean => {
      this.due.changed(name);
      return putTask(kept, task, now());
    };
    const settle = (kept: MemoryKept, settled: SettledTask): boolean => {
      if (settled.again !== undefined) this.due.changed(name);
      return settleTask(kept, settled, server, now(), lease);
    };
    return {
      values: {
        get: (key) => at((kept) => getValue(kept, key)),
        list: (range) => at((kept) => listValues(kept, range)),
        write: (write) => at((kept) => writeValues(kept, write)),
      },
      tasks: {
        put: (task) => at((kept) => put(kept, task)),
        remove: (lane, id) => at((kept) => removeTask(kept, lane, id)),
        list: (lane, after, limit) => at((kept) => listTasks(kept, lane, after, limit)),
        claim: (lane) => at((kept) => claimLane(kept, lane, server, now(), lease)),
        settle: (settled) => at((kept) => settle(kept, settled)),
      },
      ask: (question) => network.request(server, () => this.roomOf(name).ask(question, tag(), now())),
    };
  }

  mailbox(address: string, heard: (text: string) => void): Mailbox {
    const { network } = this.#options;
    const send = (to: string, text: string): void => {
      const box = this.#mailboxes.get(to);
      if (box !== undefined) network.frame(to, () => box(text));
    };
    return {
      open: () => network.request(address, () => void this.#mailboxes.set(address, heard)),
      send: (to, text) =>
        network.request(address, () => {
          for (const one of to === undefined ? this.#mailboxes.keys() : [to]) send(one, text);
        }),
      close: () => network.request(address, () => void this.#mailboxes.delete(address)),
    };
  }

  roomOf(name: string): MemoryRoom {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const { lease, network } = this.#options;
    const subscribers = this.#subscribersOf(name);
    const room = new MemoryRoom(
      {
        frame: (frame) => {
          for (const [node, receiver] of subscribers) network.frame(node, () => receiver.frame(frame));
        },
        notice: (node, frame) => {
          const receiver = subscribers.get(node);
          if (receiver !== undefined) network.frame(node, () => receiver.notice(frame));
        },
      },
      lease,
    );
    this.#rooms.set(name, room);
    return room;
  }

  /** The node hears nothing any more, until it subscribes again. */
  cut(name: string, node: string): void {
    this.#subscribersOf(name).delete(node);
  }

  #leave(room: MemoryRoom, name: string, node: string, tag: string): void {
    this.cut(name, node);
    room.leave(node, tag);
  }

  #subscribersOf(name: string): Map<string, Receiver> {
    const known = this.#receivers.get(name);
    if (known !== undefined) return known;
    const subscribers = new Map<string, Receiver>();
    this.#receivers.set(name, subscribers);
    return subscribers;
  }
}
