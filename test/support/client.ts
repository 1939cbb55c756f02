/**
 * A WebSocket client on a raw socket. Unlike other clients it can write any bytes at any time, and see every byte that comes back. Reading is strict:
 * a frame that no server may send is an error.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { closePayload, decodeFrame, encodeFrame, messageFrame, Opcode, type Frame, type ServerFrame } from "../wire/frames.ts";
import { decodeBody, decodeHead, encodeRequest, sampleKey, type Handshake, type WireResponse } from "../wire/http.ts";

export interface Address {
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** TLS, with any certificate. Default: false. */
  readonly tls?: boolean;
}

/** An event of a client. `end` is the end of TCP: FIN or a reset. */
export type Event =
  | { readonly type: "text"; readonly data: string }
  | { readonly type: "binary"; readonly data: Buffer }
  | { readonly type: "ping" | "pong"; readonly data: Buffer }
  | { readonly type: "close"; readonly code: number; readonly reason: string }
  | { readonly type: "end"; readonly how: "fin" | "reset" };

/** Milliseconds before a read fails. Generous, because nothing here measures time. */
export const patience = 20_000;

/** Opens a TCP (or TLS) connection, sends the handshake and reads the response's head, whatever its status. */
export async function handshake(address: Address, request: Handshake, wait: number = patience): Promise<Client> {
  const client = await dial(address, wait);
  client.write(encodeRequest(request, `localhost:${address.port}`));
  await client.head();
  return client;
}

/** Opens a connection without sending anything. */
export async function dial(address: Address, wait: number = patience): Promise<Client> {
  const to = { host: address.host ?? "127.0.0.1", port: address.port, allowHalfOpen: true };
  const socket = address.tls === true ? connectTls({ ...to, rejectUnauthorized: false }) : connectTcp(to);
  socket.setNoDelay(true);
  const client = new Client(socket, wait);
  await once(socket, address.tls === true ? "secureConnect" : "connect");
  return client;
}

export class Client {
  readonly socket: Socket;
  readonly wait: number;
  /** Answer the server's close frame. Default: true. */
  answersClose = true;
  /** Answer the server's FIN. Default: true. */
  answersEnd = true;
  /** Answer the server's pings. Default: true. */
  answersPing = true;
  /** The Sec-WebSocket-Key that was sent. A 101 must have the matching accept value. */
  key: string = sampleKey;
  #response: WireResponse | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #needs = 0;
  #fragments: { opcode: number; parts: Buffer[] } | undefined;
  #events: Event[] = [];
  #ended: "fin" | "reset" | undefined;
  #failure: Error | undefined;
  #sentClose = false;
  #wake: () => void = () => {};

  constructor(socket: Socket, wait: number) {
    this.socket = socket;
    this.wait = wait;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => this.#end("fin"));
    socket.on("error", () => this.#end("reset"));
    socket.on("close", () => this.#end("fin"));
  }

  /** The handshake's response. */
  get response(): WireResponse {
    if (this.#response === undefined) throw new Error("no response was read yet");
    return this.#response;
  }

  /** Whether the handshake was answered with 101. */
  get accepted(): boolean {
    return this.#response?.status === 101;
  }

  /** Reads the response's head. After a 101 the rest is read as frames. */
  async head(): Promise<WireResponse> {
    const found = await this.#until("a response", () => decodeHead(this.#bytes()));
    this.#response = found.response;
    this.#consume(found.end);
    if (found.response.status === 101) {
      const accept = found.response.header("sec-websocket-accept");
      if (accept !== acceptFor(this.key)) throw new Error(`Sec-WebSocket-Accept is ${accept}, not ${acceptFor(this.key)}`);
      this.#decode();
    }
    return found.response;
  }

  /** Reads the body of a refusal. */
  async body(): Promise<string> {
    const body = await this.#until("a body", () => decodeBody(this.response, this.#bytes(), this.#ended !== undefined));
    return body.bytes.toString();
  }

  /** Reads and removes the response. The next `head` reads the following response on the connection. */
  async rest(): Promise<string> {
    const body = await this.#until("a body", () => decodeBody(this.response, this.#bytes(), this.#ended !== undefined));
    this.#consume(body.end);
    this.#response = undefined;
    return body.bytes.toString();
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  frame(frame: Frame): void {
    this.write(encodeFrame(frame));
  }

  send(data: string | Uint8Array): void {
    this.write(messageFrame(data));
  }

  close(code?: number, reason?: string): void {
    this.#sentClose = true;
    this.frame({ opcode: Opcode.close, payload: closePayload(code, reason) });
  }

  /** Returns the next event, with messages assembled from their fragments. */
  async next(wait: number = this.wait): Promise<Event> {
    return this.#until(
      "an event",
      () => {
        if (this.#events.length > 0) return this.#events.shift();
        if (this.#failure !== undefined) throw this.#failure;
        return this.#ended === undefined ? undefined : { type: "end", how: this.#ended };
      },
      wait,
    );
  }

  /** How the server has ended TCP; undefined if it has not. */
  get ended(): "fin" | "reset" | undefined {
    return this.#ended;
  }

  /** Received events that have not been read. */
  get pending(): readonly Event[] {
    return this.#events;
  }

  /** Sends a TCP RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Sends FIN, which ends only our half. */
  finish(): void {
    this.socket.end();
  }

  /** Stops reading, so that the server's buffers fill up. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Ends the connection cleanly: with a close frame, unless one was sent, and FIN. */
  leave(): void {
    if (this.socket.destroyed) return;
    this.answersClose = this.answersEnd = true;
    if (this.accepted && !this.#sentClose && this.#ended === undefined) this.close(1000);
    this.socket.resume();
    if (!this.socket.writableEnded) this.socket.end();
    this.socket.unref();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.accepted) this.#decode();
    this.#wake();
  }

  #decode(): void {
    if (this.#failure !== undefined || this.#size < this.#needs) return;
    const bytes = this.#bytes();
    let offset = 0;
    try {
      for (;;) {
        const found = decodeFrame(bytes, offset);
        if ("needs" in found) {
          this.#needs = found.needs - offset;
          break;
        }
        offset = found.end;
        this.#accept(found.frame);
      }
    } catch (failure) {
      this.#failure = failure as Error;
    }
    this.#consume(offset);
  }

  #accept(frame: ServerFrame): void {
    if (frame.opcode === Opcode.close) return this.#acceptClose(frame.payload);
    if (frame.opcode === Opcode.ping || frame.opcode === Opcode.pong) {
      if (frame.opcode === Opcode.ping && this.answersPing) this.frame({ opcode: Opcode.pong, payload: frame.payload });
      this.#events.push({ type: frame.opcode === Opcode.ping ? "ping" : "pong", data: frame.payload });
      return;
    }
    if ((frame.opcode === Opcode.continuation) !== (this.#fragments !== undefined) || frame.opcode > Opcode.binary) {
      throw new Error(`the server sent opcode ${frame.opcode} out of place`);
    }
    const message = this.#fragments ?? { opcode: frame.opcode, parts: [] };
    message.parts.push(frame.payload);
    this.#fragments = frame.fin ? undefined : message;
    if (!frame.fin) return;
    const data = Buffer.concat(message.parts);
    this.#events.push(message.opcode === Opcode.text ? { type: "text", data: utf8(data) } : { type: "binary", data });
  }

  #acceptClose(payload: Buffer): void {
    if (payload.length === 1) throw new Error("the server sent a close frame of one byte");
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    this.#events.push({ type: "close", code, reason: utf8(payload.subarray(2)) });
    if (this.answersClose && !this.#sentClose) {
      this.#sentClose = true;
      this.frame({ opcode: Opcode.close, payload: payload.subarray(0, 2) });
    }
  }

  #end(how: "fin" | "reset"): void {
    this.#ended ??= how;
    if (this.answersEnd && !this.socket.destroyed && !this.socket.writableEnded) this.socket.end();
    this.#wake();
  }

  #bytes(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #consume(count: number): void {
    if (count === 0) return;
    const rest = this.#bytes().subarray(count);
    this.#chunks = [rest];
    this.#size = rest.length;
  }

  async #until<T>(what: string, attempt: () => T | undefined, wait: number = this.wait): Promise<T> {
    const deadline = Date.now() + wait;
    for (;;) {
      const value = attempt();
      if (value !== undefined) return value;
      if (this.#ended !== undefined && this.#response === undefined)
        throw new Error(`the server ended TCP (${this.#ended}) instead of ${what}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no sign of ${what} within ${wait} ms (${this.#size} bytes unread)`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** The accept value for a key (RFC 6455 section 4.2.2). */
export function acceptFor(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}
