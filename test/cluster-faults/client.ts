/** A client that sends while it is asked to, and remembers all that it is shown and told. */
import { DeliverySocket } from "edgewire/delivery/client";
import type { WebSocketConstructor } from "edgewire/client";
import { WebSocket } from "ws";
import type { Random } from "../fuzz/random.ts";
import { kinds } from "./room.ts";

/** Where a gap was told. */
export const gap: unique symbol = Symbol("gap");

/** What is looked at of a client. */
export interface Shown {
  readonly name: string;
  /** The topic. */
  readonly shown: readonly (string | typeof gap)[];
  readonly answers: readonly (string | typeof gap)[];
  readonly sent: readonly string[];
  /** Told before or instead of anything else. */
  readonly acknowledged: ReadonlySet<string>;
  readonly uncertain: readonly string[];
  /** How often it was told that answers may be missing. */
  readonly interrupted: number;
  /** What must not happen, in words. */
  readonly wrong: readonly string[];
}

/** Messages that are under way, at most. */
const ahead = 8;
const delays = { firstDelay: 10, maxDelay: 100, stableAfter: 0, connectTimeout: 3000, heartbeat: 1000, heartbeatTimeout: 2000 };

export class Client implements Shown {
  readonly name: string;
  readonly shown: (string | typeof gap)[] = [];
  readonly answers: (string | typeof gap)[] = [];
  readonly sent: string[] = [];
  readonly acknowledged = new Set<string>();
  readonly uncertain: string[] = [];
  readonly wrong: string[] = [];
  interrupted = 0;
  opened = 0;
  /** Why the latest attempt to connect failed, or the latest connection ended. */
  cause = "";
  /** Every text of `shown`. */
  readonly seen = new Set<string>();
  readonly socket: DeliverySocket;
  readonly #random: Random;
  readonly #told: () => void;
  #settled = 0;
  #isClosing = false;

  /** @param told something has happened. */
  constructor(url: string, name: string, random: Random, told: () => void) {
    this.name = name;
    this.#random = random;
    this.#told = told;
    const socket = (this.socket = new DeliverySocket(url, [], { WebSocket: WebSocket as WebSocketConstructor, ...delays }));
    socket.addEventListener("open", () => {
      this.opened++;
      told();
    });
    socket.addEventListener("retry", ({ cause }) => void (this.cause = String(cause)));
    socket.addEventListener("disconnect", ({ code, reason }) => void (this.cause = `${code} ${reason}`));
    socket.addEventListener("message", ({ data }) => {
      this.#show(String(data));
      told();
    });
    socket.addEventListener("gap", ({ topic, why }) => {
      (topic === undefined ? this.answers : this.shown).push(gap);
      if (why !== "lost") this.wrong.push(`a gap in ${topic ?? "its own log"}: ${why}`);
    });
    socket.addEventListener("uncertain", ({ data }) => void (this.#isClosing || this.uncertain.push(String(data))));
    socket.addEventListener("interrupted", () => void this.interrupted++);
    socket.addEventListener("error", ({ error }) => void this.wrong.push(`error: ${String(error)}`));
    socket.addEventListener("close", ({ code, reason }) => {
      if (!this.#isClosing) this.wrong.push(`closed: ${code} ${reason}`);
      told();
    });
  }

  get isSettled(): boolean {
    return this.#settled === this.sent.length;
  }

  /** Sends some, unless many are under way. */
  pump(): void {
    for (let more = this.#random.int(0, 2); more > 0 && this.sent.length - this.#settled < ahead; more--) this.#send();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.socket.readyState > 2) return;
    const closed = new Promise((resolve) => this.socket.addEventListener("close", resolve));
    this.socket.close();
    await closed;
  }

  #send(): void {
    const text = `${this.#random.pick(kinds)}${this.name}:${this.sent.length + 1}`;
    this.sent.push(text);
    void this.socket.deliver(text).then((fate) => {
      this.#settled++;
      if (fate === "acknowledged") this.acknowledged.add(text);
      else if (fate === "refused" && !this.#isClosing) this.wrong.push(`${text} is refused`);
      this.#told();
    });
  }

  #show(text: string): void {
    const [first, second] = text.split(" ");
    if (first === "answer") this.answers.push(second!);
    else {
      this.shown.push(text);
      this.seen.add(text);
    }
  }
}
