/** Rooms in Redis: it puts their parts together. */
import type { Backplane, Receiver, RoomBackplane, RoomKept } from "../../src/cluster/backplane.ts";
import { BackplaneError } from "../../src/cluster/error.ts";
import type { Mailbox } from "../../src/cluster/mail.ts";
import type { BackplaneDue } from "../../src/cluster/tasks.ts";
import type { Argument } from "./codec.ts";
import type { Connections, Heard } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { Feed } from "./feed.ts";
import { dueInRedis, keptInRedis } from "./kept.ts";
import type { Enter } from "./kept.ts";
import { mailboxInRedis } from "./mail.ts";
import type { Tuning } from "./options.ts";
import { baseOf, roomInRedis } from "./room.ts";
import { dueScripts } from "./script.ts";
import type { Script } from "./script.ts";
import { inspect } from "./settings.ts";

/** Milliseconds that one WAIT may hold up the connection. */
const longestWait = 1000;

/** What `redis` returns: the option `backplane` of `serve`. */
export class RedisBackplane implements Backplane {
  readonly #tuning: Tuning;
  readonly #connections: Connections;
  readonly #deadlines: Deadlines;
  readonly #feed: Feed;
  /** Arguments of every script of a room. */
  readonly #leading: readonly Argument[];
  #isInspected = false;
  readonly due: BackplaneDue;

  /** @param connect called at once. */
  constructor(tuning: Tuning, connect: (heard: Heard) => Connections) {
    this.#tuning = tuning;
    const { sharded, remember, lease, timeout } = tuning;
    this.#leading = [sharded ? "SPUBLISH" : "PUBLISH", String(remember), String(lease), String(remember)];
    this.#deadlines = new Deadlines(timeout);
    this.#feed = new Feed(() => this.#connections.subscriptions, this.#deadlines);
    this.#connections = connect(this.#feed);
    this.due = dueInRedis((script, args) => this.#run(script, this.#dueKey, args), lease);
  }

  room(name: string, node: string, receiver: Receiver): RoomBackplane {
    const base = baseOf(this.#tuning.prefix, name);
    const link = {
      run: (script: Script, args: readonly Argument[]) => this.#runOf(base, script, args),
      replicated: () => this.#replicated(base),
      subscribe: this.#feed.subscribe.bind(this.#feed),
      unsubscribe: this.#feed.unsubscribe.bind(this.#feed),
    };
    return roomInRedis(link, base, node, receiver);
  }

  kept(room: string, server: string): RoomKept {
    const base = baseOf(this.#tuning.prefix, room);
    const enter: Enter = async (kind, time) => void (await this.#run(dueScripts.enter, this.#dueKey, [room, kind, String(time)]));
    return keptInRedis(
      (script, args) => this.#runOf(base, script, args),
      server,
      enter,
      () => this.#replicated(base),
    );
  }

  mailbox(server: string, heard: (text: string) => void): Mailbox {
    const { prefix, sharded } = this.#tuning;
    const publish = async (channel: string, text: string): Promise<void> => {
      const { commands } = this.#connections;
      await this.#deadlines.keep(commands, () => commands.run(channel, [sharded ? "SPUBLISH" : "PUBLISH", channel, text]));
    };
    return mailboxInRedis(this.#feed, publish, (name) => baseOf(prefix, `mail ${name}`), server, heard);
  }

  /** Closes the connections that `redis` has opened. Whatever is asked after that is refused. */
  async close(): Promise<void> {
    this.#deadlines.isClosed = true;
    await this.#connections.close();
  }

  get #dueKey(): string {
    return `${this.#tuning.prefix}due`;
  }

  async #run(script: Script, key: string, args: readonly Argument[]): Promise<Uint8Array> {
    const { commands } = this.#connections;
    const answer = await this.#deadlines.keep(commands, () => script.run(commands, key, args));
    this.#inspect();
    return answer;
  }

  #runOf(base: string, script: Script, args: readonly Argument[]): Promise<Uint8Array> {
    return this.#run(script, base, [...this.#leading, ...args]);
  }

  async #replicated(base: string): Promise<void> {
    const { replicas, timeout } = this.#tuning;
    if (replicas === 0) return;
    const { commands } = this.#connections;
    const wait = (): Promise<number> => commands.wait(base, replicas, Math.min(timeout, longestWait));
    const having = await this.#deadlines.keep(commands, wait);
    if (having < replicas) throw new BackplaneError(`redis: ${having} replicas have it, not ${replicas} [EW414]`);
  }

  /** Once it answers: what is wrong with its settings. */
  #inspect(): void {
    if (this.#isInspected) return;
    this.#isInspected = true;
    const { commands } = this.#connections;
    const { warn } = this.#tuning;
    // Some services forbid it: then nothing is known.
    this.#deadlines
      .keep(commands, () => inspect(commands))
      .then(
        (problems) => {
          for (const problem of problems) warn(`redis: ${problem} [EW436]`);
        },
        () => {},
      );
  }
}
