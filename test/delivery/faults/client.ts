/** A client that sends as long as it is asked to, and remembers all that it is shown. */
import { DeliverySocket } from "edgewire/delivery/client";
import type { ClientOptions, WebSocketConstructor } from "edgewire/client";
import { WebSocket } from "ws";
import type { Random } from "../../fuzz/random.ts";
import { kinds } from "./room.ts";

/** Where a gap was told. */
export const gap: unique symbol = Symbol("gap");

/** Messages that are under way: as many as the server takes at once, and some that wait. */
const ahead = 12;

export class Client {
  readonly name: string;
  readonly sent: string[] = [];
  readonly acknowledged: string[] = [];
  /** The topics `all` and `side`. */
  readonly all: string[] = [];
  readonly few: (string | typeof gap)[] = [];
  readonly answers: string[] = [];
  /** Of its connection, as answers name it. */
  readonly ids = new Set<string>();
  /** What must not happen, in words. */
  readonly wrong: string[] = [];
  opened = 0;
  readonly socket: DeliverySocket;
  readonly #random: Random;
  readonly #told: () => void;
  #closing = false;

  /** @param told something has happened. */
  constructor(url: string | (() => string), name: string, random: Random, told: () => void, options: ClientOptions = {}) {
    this.name = name;
    this.#random = random;
    this.#told = told;
    const delays = { firstDelay: 4, maxDelay: 40, stableAfter: 0, connectTimeout: 2000, heartbeat: 1000, heartbeatTimeout: 1000 };
    const socket = new DeliverySocket(url, [], { WebSocket: WebSocket as WebSocketConstructor, ...delays, ...options });
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.opened++;
      told();
    });
    socket.addEventListener("message", ({ data }) => {
      this.#shown(typeof data === "string" ? data : new TextDecoder().decode(data as ArrayBuffer));
      told();
    });
    this.#on("gap", ({ topic, why }: { topic?: string; why: string }) => {
      if (topic === "few" && why === "old") this.few.push(gap);
      else this.wrong.push(`a gap in ${topic ?? "its own log"}: ${why}`);
    });
    this.#on("uncertain", ({ data }: { data: unknown }) => this.socket.readyState > 1 || this.wrong.push(`uncertain: ${String(data)}`));
    this.#on("error", ({ error }: { error: unknown }) => this.wrong.push(`error: ${String(error)}`));
    socket.addEventListener("close", ({ code, reason }) => {
      if (!this.#closing) this.wrong.push(`closed: ${code} ${reason}`);
      told();
    });
  }

  /** Comes back after the first time. */
  get returns(): number {
    return Math.max(0, this.opened - 1);
  }

  get isDone(): boolean {
    return this.acknowledged.length === this.sent.length && this.answers.length >= this.sent.length;
  }

  /** Sends until enough are under way. */
  pump(): void {
    while (this.sent.length - this.acknowledged.length < ahead) this.#send();
  }

  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise((resolve) => this.socket.addEventListener("close", resolve));
    this.socket.close();
    await closed;
  }

  #send(): void {
    const text = `${this.#random.pick(kinds)}${this.name}:${this.sent.length + 1}`;
    this.sent.push(text);
    const data = this.#random.chance(0.2) ? new TextEncoder().encode(text) : text;
    void this.socket.deliver(data).then((fate) => {
      if (fate === "acknowledged") this.acknowledged.push(text);
      // After a close, which is told, all that was not acknowledged has no better fate.
      else if (this.socket.readyState < 2) this.wrong.push(`${text} is ${fate}`);
      this.#told();
    });
  }

  #shown(text: string): void {
    const [first, ...rest] = text.split(" ");
    if (first === "few") this.few.push(rest[0]!);
    else if (first !== "answer") this.all.push(text);
    else {
      this.ids.add(rest[0]!);
      this.answers.push(rest[1]!);
    }
  }

  #on<Happened>(type: string, listener: (event: Happened) => unknown): void {
    this.socket.addEventListener(type as "status", (event) => void listener(event as Happened));
  }
}
