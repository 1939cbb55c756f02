/** A faulty network on the loopback: a TCP proxy that delays, cuts, half-closes, and drops everything silently. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Proxy {
  /** Milliseconds that each piece takes each way. */
  delay = 0;
  /** Drops what comes, both ways, and tells nobody: a cable that was pulled. */
  silent = false;
  #server: Server;
  #target: number;
  #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await proxy.listen(0);
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }
  /** Connections that are being carried. */
  get size(): number {
    return this.#pairs.size;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Resets every connection. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Ends the way to the clients, and leaves the way to the server open. */
  halfClose(): void {
    for (const [client] of this.#pairs) client.end();
  }

  /** Refuses connections until `listen`, on the port that is returned. */
  async down(): Promise<number> {
    const { port } = this;
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    this.#carry(client, server);
    this.#carry(server, client);
    for (const socket of pair) {
      // A reset is what this is for.
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#pairs.delete(pair);
        if (this.silent) return;
        client.destroy();
        server.destroy();
      });
    }
  }

  #carry(from: Socket, to: Socket): void {
    const later = (action: () => void): unknown => (this.delay > 0 ? setTimeout(action, this.delay) : action());
    from.on("data", (piece) => {
      if (!this.silent) later(() => to.writable && to.write(piece));
    });
    from.on("end", () => {
      if (!this.silent) later(() => to.end());
    });
  }
}
