/** One client of the crowd, and what it should have been sent. */
import { once } from "node:events";
import { WebSocket } from "ws";
import type { Order } from "./handler.ts";

type Rest<T> = T extends readonly [number, ...infer More] ? More : never;

export class Member {
  readonly name: string;
  readonly room: string;
  /** What the model says that it is subscribed to. */
  readonly topics = new Set<string>();
  /** Payloads since the last `take`. */
  #inbox: string[] = [];
  readonly #ws: WebSocket;
  readonly #answers = new Map<number, (result: number) => void>();
  #orders = 0;
  #gone = false;

  static async join(name: string, room: string, port: number): Promise<Member> {
    const member = new Member(name, room, port);
    await once(member.#ws, "open");
    return member;
  }

  private constructor(name: string, room: string, port: number) {
    this.name = name;
    this.room = room;
    this.#ws = new WebSocket(`ws://127.0.0.1:${port}/?room=${room}`);
    this.#ws.on("message", (data) => this.#read(String(data)));
    this.#ws.on("error", () => {});
    this.#ws.on("close", (code) => (this.#gone ||= code !== 1000));
  }

  /** Sends an order; resolves to its result once it is done. */
  ask(...order: Rest<Order>): Promise<number> {
    const number = ++this.#orders;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const overdue = setTimeout(() => reject(new Error(`${this.name}: ${JSON.stringify(order)} was not answered in 30 s`)), 30_000);
    this.#answers.set(number, (result) => {
      clearTimeout(overdue);
      resolve(result);
    });
    this.#ws.send(JSON.stringify([number, ...order]));
    return promise;
  }

  /** What came since the last time. */
  take(): string[] {
    const inbox = this.#inbox;
    this.#inbox = [];
    return inbox;
  }

  /** Whether it was lost without having left. */
  get lost(): boolean {
    return this.#gone;
  }

  async leave(): Promise<void> {
    const closed = once(this.#ws, "close");
    this.#ws.close(1000);
    await closed;
    this.#forget();
  }

  /** TCP RST. */
  reset(): void {
    (this.#ws as unknown as { _socket: { resetAndDestroy(): void } })._socket.resetAndDestroy();
    this.#forget();
  }

  #forget(): void {
    // What it asked last may never be answered.
    for (const answer of this.#answers.values()) answer(-1);
    this.#answers.clear();
  }

  #read(text: string): void {
    if (!text.startsWith('["done"')) return void this.#inbox.push(text);
    const [, number, result] = JSON.parse(text) as [string, number, number];
    this.#answers.get(number)?.(result);
    this.#answers.delete(number);
  }
}
