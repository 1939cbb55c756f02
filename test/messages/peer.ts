/** A client that knows frames and nothing else, as one in another language would be. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { json } from "edgewire/messages";
import type { Codec } from "edgewire/messages";

export class Peer {
  readonly received: unknown[] = [];
  /** The close frame's code and reason. */
  readonly closed: Promise<[code: number, reason: string]>;
  readonly #socket: WebSocket;
  readonly #codec: Codec;
  #read = 0;

  /** Offers the codec's subprotocol; none at all where there is no codec, and speaks JSON. */
  static async connect(url: string, codec: Codec | undefined): Promise<Peer> {
    const peer = new Peer(new WebSocket(url, codec === undefined ? [] : [codec.protocol]), codec ?? json);
    await once(peer.#socket, "open");
    return peer;
  }

  private constructor(socket: WebSocket, codec: Codec) {
    this.#socket = socket;
    this.#codec = codec;
    socket.on("message", (data: Buffer, binary) => {
      this.received.push(binary ? codec.decode(Uint8Array.from(data)) : JSON.parse(String(data)));
    });
    this.closed = once(socket, "close").then(([code, reason]) => [code as number, String(reason)]);
  }

  send(frame: object): void {
    this.sendRaw(this.#codec.encode(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  async next(): Promise<unknown> {
    while (this.#read >= this.received.length) await once(this.#socket, "message");
    return this.received[this.#read++];
  }

  leave(): void {
    this.#socket.terminate();
  }
}
