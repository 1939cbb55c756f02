/** A client that reads all the time, remembers what it is shown, and comes back to every server that follows. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { signatureOf, type Control, type Order } from "./handler.ts";
import { placeOf, type Seen } from "./seen.ts";
import type { TopicName } from "./topics.ts";
import type { Replay } from "edgewire";

type Rest<T> = T extends readonly [number, ...infer More] ? More : never;

/** A message as it came. */
interface Shown {
  readonly signature: string;
  readonly topics: readonly TopicName[];
  /** With the topic of which it is, if the message says so. */
  readonly position: string | undefined;
}

export class Client {
  readonly room: string;
  readonly name: string;
  readonly #seen: Seen;
  #socket: WebSocket | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  #orders = 0;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  /** Of each topic that it is subscribed to, the offset that comes next. */
  readonly #next = new Map<TopicName, { readonly epoch: string; offset: number }>();
  /** Of each topic, the last position that it was told. */
  readonly #positions = new Map<TopicName, string>();
  #replay: Shown[] | undefined;

  constructor(room: string, name: string, seen: Seen) {
    this.room = room;
    this.name = name;
    this.#seen = seen;
  }

  async connect(port: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?room=${this.room}`);
    this.#socket = socket;
    this.#next.clear();
    this.#replay = undefined;
    this.#closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("message", (data: Buffer, isBinary) => this.#read(isBinary ? data : data.toString()));
    socket.on("close", () => {
      for (const { reject } of this.#pending.values()) reject(new Error("the server was killed"));
      this.#pending.clear();
    });
    socket.on("error", () => {});
    await once(socket, "open");
  }

  /** Resolves to the answer; rejects if the server is killed before. */
  ask(...order: Rest<Order>): Promise<unknown> {
    const number = ++this.#orders;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(number, answer);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify([number, ...order]));
    else answer.reject(new Error("the server was killed"));
    return answer.promise;
  }

  async join(): Promise<void> {
    await this.ask("join", Object.fromEntries(this.#positions));
  }

  /** It is somebody else from now on, who has seen nothing. */
  forget(): void {
    this.#positions.clear();
  }

  /** Resolves once everything that the killed server had sent was read. */
  async left(): Promise<void> {
    await this.#closed;
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  #read(data: string | Buffer): void {
    if (typeof data === "string" && data.startsWith("!")) return this.#obey(JSON.parse(data.slice(1)) as Control);
    const shown = shownBy(data);
    if (this.#replay !== undefined) this.#replay.push(shown);
    else this.#live(shown);
  }

  #obey(control: Control): void {
    switch (control[0]) {
      case "done":
        this.#pending.get(control[1])?.resolve(control[2]);
        this.#pending.delete(control[1]);
        break;
      case "joins":
        this.#replay = [];
        break;
      case "joined":
        this.#joined(control[1], control[2]);
        break;
      case "value":
        this.#seen.value(this.room, control[1], control[2]);
        break;
    }
  }

  #joined(topic: TopicName, { replayed, complete, position }: Replay): void {
    const messages = this.#replay ?? [];
    this.#replay = undefined;
    const after = this.#positions.get(topic);
    const { epoch, offset, tag } = placeOf(position);
    const where = `${this.room}, ${topic}, replay to ${this.name}`;
    if (messages.length !== replayed) this.#seen.fault("other", `${where}: ${messages.length} came of ${replayed}`);
    const first = offset - replayed + 1;
    for (const [index, shown] of messages.entries())
      this.#show(topic, { epoch, offset: first + index, tag: index === replayed - 1 ? tag : undefined }, shown);
    const from = after === undefined ? 0 : placeOf(after).offset;
    const isLost = after !== undefined && this.#seen.isLost(this.room, topic, after);
    const follows = first === from + 1 && !isLost;
    // The position of an empty log is kept in memory only.
    const known = after === undefined || from > 0;
    if (complete ? !follows : follows && known)
      this.#seen.fault("other", `${where}: complete is ${complete} from ${first} on, after ${after}`);
    this.#positions.set(topic, position);
    this.#next.set(topic, { epoch, offset: offset + 1 });
  }

  /** It is the next of each of its topics, since nobody is left out. */
  #live(shown: Shown): void {
    for (const [index, topic] of shown.topics.entries()) {
      const next = this.#next.get(topic);
      if (next === undefined)
        return this.#seen.fault("other", `${this.room}: ${shown.signature} came to ${this.name}, who is not subscribed`);
      // With a position it says which topic it came by: the first.
      this.#show(topic, { ...next, tag: undefined }, index === 0 ? shown : { ...shown, position: undefined });
      next.offset++;
    }
  }

  #show(topic: TopicName, { epoch, offset, tag }: { epoch: string; offset: number; tag: string | undefined }, shown: Shown): void {
    const { position, signature } = shown;
    if (position === undefined) return this.#seen.show(this.room, topic, { epoch, offset, tag }, signature);
    const place = placeOf(position);
    if (place.epoch !== epoch || place.offset !== offset || (tag ?? place.tag) !== place.tag)
      this.#seen.fault("other", `${this.room}, ${topic}: ${signature} came to ${this.name} as ${epoch}.${offset}, and says ${position}`);
    this.#seen.show(this.room, topic, place, signature);
    this.#positions.set(topic, position);
  }
}

function shownBy(data: string | Buffer): Shown {
  const text = typeof data === "string" ? data : data.toString("latin1");
  const [topic = "", position] = text.startsWith("@") ? text.split("\n", 2) : [];
  const start = position === undefined ? 0 : topic.length + position.length + 2;
  const signature = signatureOf(data.slice(start));
  return { signature, topics: signature.split(" ")[1]?.split(",") as TopicName[], position };
}
