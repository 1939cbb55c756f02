/** Good clients on the same server: whatever the others do, these get their own answers, all of them, in order, and nothing else. */
import { deepEqual } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { handshake, type Address, type Client, type Event } from "../support/client.ts";
import { patience } from "./attack.ts";
import type { Random } from "./random.ts";

export class Neighbours {
  readonly #echo: Client;
  readonly #publisher: Client;
  readonly #subscriber: Client;
  readonly #random: Random;
  readonly #roomless: boolean;
  #stopped = false;
  #round = 0;
  #done: Promise<void>;

  /** `roomless`: a plain Worker, where the subscriber can only be sent something by itself. */
  static async start(address: Address, tag: string, random: Random, roomless: boolean): Promise<Neighbours> {
    const join = async (query: Record<string, string>): Promise<Client> => {
      const target = `/?${new URLSearchParams({ tag, peer: "-1", ...query })}`;
      const client = await handshake(address, { target }, patience);
      if (!client.accepted) throw new Error(`a neighbour's handshake got ${client.response.status}`);
      return client;
    };
    const subscribe = roomless ? [] : [["subscribe", "news"]];
    const news = (open: unknown): Record<string, string> => ({ room: `${tag}-news`, open: JSON.stringify(open), message: "run" });
    return new Neighbours(
      await join({ room: `${tag}-echo` }),
      await join(news([["send", "ready"]])),
      await join(news([...subscribe, ["send", "ready"]])),
      random,
      roomless,
    );
  }

  private constructor(echo: Client, publisher: Client, subscriber: Client, random: Random, roomless: boolean) {
    this.#echo = echo;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#random = random;
    this.#roomless = roomless;
    this.#done = this.#run();
    // Whoever asks is told: see `check` and `stop`.
    this.#done.catch(() => {});
  }

  get rounds(): number {
    return this.#round;
  }

  /** Rejects as soon as a neighbour saw what it should not have. */
  get failed(): Promise<void> {
    return this.#done;
  }

  /** Ends them, after a last round. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    for (const client of [this.#echo, this.#publisher, this.#subscriber]) {
      deepEqual(unasked(client), []);
      client.close(1000);
      await expect(client, { type: "close", code: 1000, reason: "" });
      await expect(client, { type: "end", how: "fin" });
      client.destroy();
    }
  }

  async #run(): Promise<void> {
    for (const client of [this.#publisher, this.#subscriber]) await expect(client, { type: "text", data: "ready" });
    while (!this.#stopped) {
      this.#round++;
      await Promise.all([this.#echoes(), this.#news()]);
      await sleep(10);
    }
  }

  /** A burst, all at once, of different sizes and types. */
  async #echoes(): Promise<void> {
    const random = this.#random;
    const burst = Array.from({ length: random.int(1, 10) }, (_, index) => {
      const text = `round ${this.#round}, message ${index} ${"x".repeat(random.int(0, random.chance(0.05) ? 70_000 : 200))}`;
      return random.chance(0.5) ? text : Buffer.from(text);
    });
    for (const data of burst) this.#echo.send(data);
    for (const data of burst) await expect(this.#echo, typeof data === "string" ? { type: "text", data } : { type: "binary", data });
  }

  async #news(): Promise<void> {
    const news = `news ${this.#round}`;
    if (this.#roomless) this.#subscriber.send(JSON.stringify([["send", news]]));
    else this.#publisher.send(JSON.stringify([["publish", "news", news]]));
    await expect(this.#subscriber, { type: "text", data: news });
    deepEqual(unasked(this.#publisher), []);
  }
}

/** What came but for the server's heartbeat. */
function unasked(client: Client): Event[] {
  return client.pending.filter(({ type }) => type !== "ping");
}

async function expect(client: Client, event: Event): Promise<void> {
  let next = await client.next();
  // The server's heartbeat, which the client has answered.
  while (next.type === "ping") next = await client.next();
  deepEqual(next, event, "a neighbour saw something else");
}
