/** A client's TCP connection: what it has sent, what came, and how it ended. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Address } from "../../support/client.ts";
import type { Answers } from "./answers.ts";

export class Wire {
  readonly #tcp: Socket;
  /** The same, or TLS over it. */
  readonly #socket: Socket;
  readonly #answers: Answers;
  #ended: "fin" | "reset" | undefined;
  #gone = false;
  #bytes = 0;
  #wake: () => void = () => {};

  static async open(address: Address, answers: Answers): Promise<Wire> {
    const tcp = connectTcp({ host: "127.0.0.1", port: address.port, allowHalfOpen: true, noDelay: true });
    const socket = address.tls === true ? connectTls({ socket: tcp, rejectUnauthorized: false }) : tcp;
    const wire = new Wire(tcp, socket, answers);
    await once(socket, address.tls === true ? "secureConnect" : "connect");
    return wire;
  }

  private constructor(tcp: Socket, socket: Socket, answers: Answers) {
    this.#tcp = tcp;
    this.#socket = socket;
    this.#answers = answers;
    socket.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      answers.feed(chunk);
      this.#wake();
    });
    socket.on("end", () => this.#end("fin"));
    socket.on("error", () => this.#end("reset"));
    socket.on("close", () => {
      this.#gone = true;
      this.#end("fin");
    });
    if (tcp !== socket) tcp.on("error", () => this.#end("reset"));
  }

  /** How the server ended it; undefined while it is open. */
  get ended(): "fin" | "reset" | undefined {
    return this.#ended;
  }

  /** Both halves are over. */
  get gone(): boolean {
    return this.#gone;
  }

  get received(): number {
    return this.#bytes;
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.writableEnded && !this.#socket.destroyed) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  finish(): void {
    this.#socket.end();
  }

  /** A reset, where there is still something to reset. */
  cut(): void {
    if (this.#tcp.destroyed) return;
    // After our FIN, Node 24's `resetAndDestroy` would leave a handle behind that keeps the process alive; the kernel resets all the same.
    if (this.#tcp === this.#socket && !this.#tcp.writableEnded) this.#tcp.resetAndDestroy();
    else this.#tcp.destroy();
  }

  /** Whether `met` became true within so many milliseconds. */
  async until(met: () => boolean, wait: number): Promise<boolean> {
    const deadline = Date.now() + wait;
    while (!met()) {
      const left = deadline - Date.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  #end(how: "fin" | "reset"): void {
    if (this.#ended === undefined) {
      this.#ended = how;
      this.#answers.end(how);
    }
    this.#wake();
  }
}
