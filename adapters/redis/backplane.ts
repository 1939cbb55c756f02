/** Rooms in Redis: deadlines, what is subscribed, and what is wrong with Redis. */
import type { Backplane, Receiver, RoomBackplane } from "../../src/cluster/backplane.ts";
import { BackplaneError } from "../../src/cluster/error.ts";
import type { Argument } from "./codec.ts";
import type { Connections, Heard } from "./connection.ts";
import type { Tuning } from "./options.ts";
import { baseOf, roomInRedis } from "./room.ts";
import type { RoomChannels, RoomLink } from "./room.ts";
import type { Script } from "./script.ts";
import { inspect } from "./settings.ts";

/** Commands whose deadline is over and which the client still holds: beyond, it is given no more. */
const mostGivenUp = 1000;
/** Milliseconds that one WAIT may hold up the connection. */
const longestWait = 1000;

export class RedisBackplane implements Backplane, RoomLink, Heard {
  readonly #tuning: Tuning;
  readonly #connections: Connections;
  /** By channel. Several nodes of one process may hear the same. */
  readonly #heard = new Map<string, Set<RoomChannels>>();
  /** Arguments of every script. */
  readonly #leading: readonly Argument[];
  #givenUp = 0;
  #isCut = false;
  #isClosed = false;
  #isInspected = false;

  /** @param connect called at once. */
  constructor(tuning: Tuning, connect: (heard: Heard) => Connections) {
    this.#tuning = tuning;
    const { sharded, remember, lease } = tuning;
    this.#leading = [sharded ? "SPUBLISH" : "PUBLISH", String(remember), String(lease), String(remember)];
    this.#connections = connect(this);
  }

  room(name: string, node: string, receiver: Receiver): RoomBackplane {
    return roomInRedis(this, baseOf(this.#tuning.prefix, name), node, receiver);
  }

  /** Closes the connections that `redis` has opened. Whatever is asked after that is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connections.close();
  }

  // ---- Commands

  run(script: Script, base: string, args: readonly Argument[]): Promise<Uint8Array> {
    const { commands } = this.#connections;
    return this.#inTime(commands.hindrance, async () => {
      const answer = await script.run(commands, base, [...this.#leading, ...args]);
      this.#inspect();
      return answer;
    });
  }

  async replicated(base: string): Promise<void> {
    const { replicas, timeout } = this.#tuning;
    if (replicas === 0) return;
    const { commands } = this.#connections;
    const wait = (): Promise<number> => commands.wait(base, replicas, Math.min(timeout, longestWait));
    const having = await this.#inTime(commands.hindrance, wait);
    if (having < replicas) throw new BackplaneError(`redis: ${having} replicas have it, not ${replicas}`);
  }

  /** @throws BackplaneError, as all below. */
  async #inTime<Answer>(hindrance: string | undefined, ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new BackplaneError("redis: the backplane is closed");
    if (hindrance !== undefined) throw new BackplaneError(`redis: ${hindrance}`);
    if (this.#givenUp >= mostGivenUp) throw new BackplaneError(`redis: ${this.#givenUp} commands have had no answer`);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    let isLate = false;
    const { timeout } = this.#tuning;
    const deadline = setTimeout(() => {
      isLate = true;
      this.#givenUp++;
      reject(new BackplaneError(`redis: no answer within ${timeout} ms`));
    }, timeout);
    const settled = (): void => {
      clearTimeout(deadline);
      if (isLate) this.#givenUp--;
    };
    ask().then(
      (answer) => {
        settled();
        resolve(answer);
      },
      (error: Error) => {
        settled();
        reject(new BackplaneError(`redis: ${error.message}`, { cause: error }));
      },
    );
    return promise;
  }

  /** Once it answers: what is wrong with its settings. */
  #inspect(): void {
    if (this.#isInspected) return;
    this.#isInspected = true;
    const { commands } = this.#connections;
    const { warn } = this.#tuning;
    // Some services forbid it: then nothing is known.
    this.#inTime(commands.hindrance, () => inspect(commands)).then(
      (problems) => {
        for (const problem of problems) warn(`redis: ${problem}`);
      },
      () => {},
    );
  }

  // ---- The feed

  async subscribe(room: RoomChannels): Promise<void> {
    for (const channel of room.channels.keys()) {
      const rooms = this.#heard.get(channel) ?? new Set();
      this.#heard.set(channel, rooms.add(room));
    }
    const { subscriptions } = this.#connections;
    await this.#inTime(subscriptions.hindrance, () => subscriptions.subscribe([...room.channels.keys()]));
  }

  async unsubscribe(room: RoomChannels): Promise<void> {
    const unheard: string[] = [];
    for (const channel of room.channels.keys()) {
      const rooms = this.#heard.get(channel);
      rooms?.delete(room);
      if (rooms?.size !== 0) continue;
      this.#heard.delete(channel);
      unheard.push(channel);
    }
    const { subscriptions } = this.#connections;
    if (unheard.length > 0) await this.#inTime(subscriptions.hindrance, () => subscriptions.unsubscribe(unheard));
  }

  message(channel: string, bytes: Uint8Array): void {
    for (const room of this.#heard.get(channel) ?? []) room.channels.get(channel)?.(bytes);
  }

  /** Clients tell the same cut in several ways at once. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    queueMicrotask(() => {
      this.#isCut = false;
      const rooms = new Set([...this.#heard.values()].flatMap((one) => [...one]));
      for (const { receiver } of rooms) receiver.cut();
    });
  }
}
