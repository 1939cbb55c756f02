/** A backplane that the nodes of one process share: for tests, and for trying what several nodes do. */
import { randomWord } from "../../history/random.ts";
import type { Backplane, Receiver, RoomBackplane } from "../backplane.ts";
import { MemoryRoom } from "./room.ts";

/** What is between nodes and backplane. A simulation delays, loses and repeats here. */
export interface MemoryNetwork {
  /** Carries a request to the backplane, and its answer back. */
  request<Answer>(node: string, run: () => Answer): Promise<Answer>;
  /** Carries a frame to a node. */
  frame(node: string, deliver: () => void): void;
}

export interface MemoryBackplaneOptions {
  /** Milliseconds after which a silent node is dead. Default: 15 000. */
  readonly lease?: number;
  /** Default: `Date.now`. */
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

export class MemoryBackplane implements Backplane {
  readonly #options: Required<MemoryBackplaneOptions>;
  readonly #rooms = new Map<string, MemoryRoom>();
  /** By room, then by node. */
  readonly #receivers = new Map<string, Map<string, Receiver>>();

  constructor({ lease = 15_000, now = Date.now, tag = randomWord, network = direct }: MemoryBackplaneOptions = {}) {
    this.#options = { lease, now, tag, network };
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
