/** A TCP proxy that cuts each connection after a number of bytes, drawn from a seed, in either direction: in a handshake, in a frame, or between two. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { seeded } from "../../support/random.ts";

export class Cutter {
  cuts = 0;
  /** It cuts nothing any more. */
  calm = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param mean bytes that a connection carries in a direction. */
  static async to(target: number, seed: number, mean: number): Promise<Cutter> {
    const cutter = new Cutter(target, seeded(seed), mean);
    cutter.#server.listen(0, "127.0.0.1");
    await once(cutter.#server, "listening");
    return cutter;
  }

  private constructor(target: number, random: () => number, mean: number) {
    this.#server = createServer((client) => {
      const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
      const cut = (): void => this.#cut(client, server, random() < 0.5);
      this.#carry(client, server, Math.ceil(random() * 2 * mean), cut);
      this.#carry(server, client, Math.ceil(random() * 2 * mean), cut);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  /** By a reset, or by FIN: the other end may have read less than what was sent before a reset. */
  #cut(client: Socket, server: Socket, isReset: boolean): void {
    if (client.destroyed || server.destroyed) return;
    this.cuts++;
    for (const socket of [client, server]) {
      if (isReset) socket.resetAndDestroy();
      else socket.destroySoon();
    }
  }

  #carry(from: Socket, to: Socket, bytes: number, cut: () => void): void {
    let left = bytes;
    const isOver = (): boolean => left <= 0 && !this.calm;
    this.#sockets.add(from);
    from.on("data", (piece: Buffer) => {
      if (isOver() || to.destroyed) return;
      to.write(this.calm ? piece : piece.subarray(0, left));
      left -= piece.length;
      if (isOver()) cut();
    });
    from.on("end", () => to.end());
    // A reset is what this is for.
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
