/** Passes TCP connections on: a balancer of servers, and the address of whichever Redis is the primary. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { pipeline } from "node:stream";

export class Forwarder implements AsyncDisposable {
  readonly #targets: () => readonly number[];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => void this.#serve(socket));

  /** @param targets ports, the one to be tried first first. */
  static async to(targets: () => readonly number[]): Promise<Forwarder> {
    const forwarder = new Forwarder(targets);
    forwarder.#server.listen(0, "127.0.0.1");
    await once(forwarder.#server, "listening");
    return forwarder;
  }

  private constructor(targets: () => readonly number[]) {
    this.#targets = targets;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
  }

  async #serve(socket: Socket): Promise<void> {
    // A pipeline sees what comes later.
    socket.on("error", () => {});
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    for (const port of this.#targets()) {
      const target = await reach(port);
      if (target !== undefined) return join(socket, target);
    }
    socket.destroy();
  }
}

/** Undefined if nobody listens there. */
async function reach(port: number): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const target = connect({ port, host: "127.0.0.1", noDelay: true });
  target.on("error", () => resolve(undefined));
  target.once("connect", () => resolve(target));
  return promise;
}

function join(socket: Socket, target: Socket): void {
  if (socket.destroyed) return void target.destroy();
  pipeline(socket, target, () => target.destroy());
  pipeline(target, socket, () => socket.destroy());
}
