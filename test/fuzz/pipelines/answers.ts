/** Reads what a server sends on one connection, strictly: answers in the order of their requests, and frames once one of them is a 101. */
import { acceptFor } from "../../support/client.ts";
import { decodeFrame, Opcode } from "../../wire/frames.ts";
import { sampleKey } from "../../wire/http.ts";
import { BodyReader, decodeAnswerHead, type AnswerHead } from "./http.ts";
import type { Ground } from "./ground.ts";
import { peersEach, type Segment } from "./plan.ts";

export interface Answer extends AnswerHead {
  /** The segment that it answers. */
  readonly index: number;
  readonly body: Buffer;
  readonly complete: boolean;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export interface Switched {
  /** Whose 101 it was. */
  readonly index: number;
  readonly texts: readonly string[];
  readonly close: number | undefined;
}

/** Of Edgewire's own refusals, with the same statuses. */
const refusalType = "text/plain; charset=utf-8";

/** Bun's, wherever it comes. */
const interruption = /HTTP\/1\.1 [45]\d\d [A-Za-z ]+\r\nConnection: close\r\n\r\n$/;

export const afterClose = "a frame after the close frame";

/** What a server says of bytes that it does not understand, or that don't come; it may say so before it has answered what came before. */
const complaints = new Set([400, 408, 413, 414, 431, 501, 505]);

export class Answers {
  readonly #segments: readonly Segment[];
  /** There is something that a server may complain of. */
  readonly #spoilt: boolean;
  readonly #ground: Ground;
  readonly #list: Writable<Answer>[] = [];
  #switched: Writable<Switched> | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #body: BodyReader | undefined;
  #next = 0;
  #closed = false;
  #problem: string | undefined;
  #fragments: Buffer[] = [];

  constructor(segments: readonly Segment[], spoilt: boolean, ground: Ground) {
    this.#segments = segments;
    this.#spoilt = spoilt;
    this.#ground = ground;
  }

  get list(): readonly Answer[] {
    return this.#list;
  }

  get switched(): Switched | undefined {
    return this.#switched;
  }

  /** What no server may send. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** An answer is complete after which the server has to end the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  get last(): Answer | undefined {
    return this.#list.at(-1);
  }

  feed(chunk: Buffer): void {
    if (this.#problem !== undefined) return;
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (this.#spoilt && this.#ground.has("interrupts")) this.#leaveOut(interruption);
    try {
      while (this.#step());
    } catch (error) {
      this.#problem = `${(error as Error).message}: ${JSON.stringify(this.#bytes.subarray(0, 300).toString("latin1"))}`;
    }
  }

  #leaveOut(what: RegExp): void {
    const found = what.exec(this.#bytes.subarray(-100).toString("latin1"));
    if (found !== null) this.#bytes = this.#bytes.subarray(0, -found[0].length);
  }

  /** TCP is over. A reset is no end that a body could have. */
  end(how: "fin" | "reset"): void {
    if (how === "fin" && this.#body?.untilEnd === true) this.#finish();
  }

  /** Whether the bytes so far end between two answers, or two frames. */
  get between(): boolean {
    return this.#body === undefined && this.#bytes.length === 0;
  }

  /** False when more bytes are needed. */
  #step(): boolean {
    if (this.#bytes.length === 0) return false;
    if (this.#switched !== undefined) return this.#frame(this.#switched);
    if (this.#body !== undefined) return this.#readBody(this.#body);
    if (this.#closed) throw new Error("bytes after an answer that closes the connection");
    return this.#head();
  }

  #head(): boolean {
    const found = decodeAnswerHead(this.#bytes);
    if (found === undefined) return false;
    const { head, end } = found;
    if (head.status === 100) {
      this.#consume(end);
      return true;
    }
    const index = this.#place(head);
    const segment = this.#segments[index]!;
    this.#list.push({ ...head, index, body: Buffer.alloc(0), complete: false });
    this.#next = index + 1;
    if (head.status === 101) this.#switch(head, segment, index);
    this.#consume(end);
    if (head.status === 101) return true;
    this.#body = new BodyReader(head, segment.method);
    return this.#readBody(this.#body);
  }

  /** Which request it answers. */
  #place(head: AnswerHead): number {
    const id = head.header("x-fuzz");
    if (id !== undefined && id !== "none") {
      const index = this.#segments.findIndex((segment) => segment.id === id && segment.type !== "frames");
      if (index < this.#next) throw new Error(`an answer to ${id}, out of order or again`);
      return index;
    }
    if (this.#spoilt && complaints.has(head.status) && head.header("content-type") !== refusalType) {
      const noise = this.#segments.findIndex(({ type }, index) => index >= this.#next && (type === "noise" || type === "frames"));
      if (noise >= 0 && head.closes) return noise;
      // Its body broke off.
      if (this.#next === this.#segments.length && this.#ground.has("complainsTwice")) return this.#next - 1;
    }
    // Behind noise only its first message says whose a 101 is.
    const wanted = ({ type }: Segment): boolean => (head.status === 101 ? type === "handshake" : type !== "frames");
    const index = this.#segments.findIndex((segment, at) => at >= this.#next && wanted(segment));
    if (index >= 0) return index;
    // Several lines of noise may be several requests.
    const noise = this.#segments.findLastIndex(({ type }) => type === "noise" || type === "frames");
    if (noise < 0) throw new Error(`an answer to no request, ${head.status}`);
    return noise;
  }

  #switch(head: AnswerHead, segment: Segment, index: number): void {
    if (segment.type !== "handshake") throw new Error("a 101 to what is no handshake");
    if (head.header("sec-websocket-accept") !== acceptFor(sampleKey)) throw new Error("a 101 with the wrong Sec-WebSocket-Accept");
    this.#switched = { index, texts: [], close: undefined };
    (this.#list.at(-1) as Writable<Answer>).complete = true;
  }

  #readBody(reader: BodyReader): boolean {
    const used = reader.feed(this.#bytes);
    this.#consume(used);
    if (!reader.complete) return false;
    this.#finish();
    return true;
  }

  #finish(): void {
    const answer = this.#list.at(-1)!;
    answer.body = this.#body!.bytes;
    answer.complete = true;
    this.#closed = (answer.closes && (!this.#ground.has("ignoresClose") || this.#segments[answer.index]!.closes)) || this.#body!.untilEnd;
    this.#body = undefined;
  }

  /** What has come of a body that is not complete. */
  get partial(): Buffer {
    return this.#body?.bytes ?? Buffer.alloc(0);
  }

  #frame(switched: Writable<Switched>): boolean {
    const found = decodeFrame(this.#bytes, 0);
    if ("needs" in found) return false;
    const { opcode, payload, fin } = found.frame;
    if (switched.close !== undefined) throw new Error(afterClose);
    if (opcode === Opcode.close) switched.close = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    else if (opcode === Opcode.text || opcode === Opcode.continuation) {
      this.#fragments.push(payload);
      if (fin) {
        const text = Buffer.concat(this.#fragments).toString();
        if (switched.texts.length === 0 && this.#spoilt) this.#correct(switched, text);
        switched.texts = [...switched.texts, text];
        this.#fragments = [];
      }
    } else if (opcode !== Opcode.ping && opcode !== Opcode.pong) throw new Error(`a frame with opcode ${opcode}`);
    this.#consume(found.end);
    return true;
  }

  #correct(switched: Writable<Switched>, hello: string): void {
    const index = Number(/^hello (\d+)$/.exec(hello)?.[1] ?? Number.NaN) % peersEach;
    if (this.#segments[index]?.type !== "handshake" || index < switched.index) return;
    switched.index = index;
    const answer = this.#list.pop()!;
    this.#list.push({ ...answer, index });
  }

  #consume(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
  }
}
