/** Passes TCP connections on: a balancer of servers, the address of whichever Redis is the primary, and a network that is silent for a while. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export class Forwarder implements AsyncDisposable {
  readonly #targets: () => readonly number[];
  readonly #sockets = new Set<Socket>();
  /** What waits while it passes nothing on; undefined while it does. */
  #held: (() => void)[] | undefined;
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

  /** Nothing passes, and both sides take the other for silent. */
  hold(): void {
    this.#held ??= [];
  }

  /** What has waited passes. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
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
    // Its close says enough.
    socket.on("error", () => {});
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    for (const port of this.#targets()) {
      const target = await reach(port);
      if (target !== undefined) return this.#join(socket, target);
    }
    socket.destroy();
  }

  #join(socket: Socket, target: Socket): void {
    this.#carry(socket, target);
    this.#carry(target, socket);
    if (socket.destroyed) target.destroy();
  }

  #carry(from: Socket, to: Socket): void {
    const pass = (then: () => void): void => {
      if (this.#held === undefined) then();
      else this.#held.push(then);
    };
    from.on("data", (piece: Buffer) => pass(() => to.writable && to.write(piece)));
    from.on("close", () => pass(() => to.destroySoon()));
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
