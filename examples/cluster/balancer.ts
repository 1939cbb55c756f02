/**
 * The balancer of `npm start -- node --nodes 2`: gives each TCP connection to the next node, and passes bytes on. It knows nothing of WebSockets. A real
 * deployment has nginx, haproxy or its platform's: docs/deploy/proxies.md.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { pipeline } from "node:stream";

/** Milliseconds between two health checks of a node, until it must have answered one, and until it must have accepted a connection. */
const times = { between: 1_000, answer: 2_000, accept: 1_000 } as const;

const unavailable = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/** A node that connections may go to. */
class Target {
  readonly port: number;
  readonly sockets = new Set<Socket>();
  isHealthy = true;
  #checking = false;

  constructor(port: number) {
    this.port = port;
  }

  /** Looks whether it answers. If not, the clients that it has are sent elsewhere: a process that is stopped keeps its connections open. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    this.isHealthy = await this.#answers();
    this.#checking = false;
    if (!this.isHealthy) this.cut();
  }

  async #answers(): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/health`, { signal: AbortSignal.timeout(times.answer) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

export class Balancer {
  readonly #targets: Target[] = [];
  readonly #clients = new Set<Socket>();
  readonly #server: Server = createServer((client) => void this.#serve(client));
  readonly #checks = setInterval(() => {
    for (const target of this.#targets) void target.check();
  }, times.between);

  static async listen(port: number): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(port);
    await once(balancer.#server, "listening");
    return balancer;
  }

  /** Connections go to this port as well, until what is returned is called. */
  add(port: number): () => void {
    const target = new Target(port);
    this.#targets.push(target);
    return () => {
      this.#targets.splice(this.#targets.indexOf(target), 1);
      target.cut();
    };
  }

  close(): void {
    clearInterval(this.#checks);
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  async #serve(client: Socket): Promise<void> {
    // Without a listener an error would end this process. The pipeline sees what follows.
    client.on("error", () => {});
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    for (const target of this.#inTurn()) {
      const node = await reach(target.port);
      if (node === undefined) target.isHealthy = false;
      else return join(client, node, target);
    }
    client.end(unavailable);
  }

  /** Those that are well, the longest unused first. */
  #inTurn(): readonly Target[] {
    const order = this.#targets.filter(({ isHealthy }) => isHealthy);
    const [next] = order;
    if (next !== undefined) this.#targets.push(...this.#targets.splice(this.#targets.indexOf(next), 1));
    return order;
  }
}

/** A connection to a node; undefined if it accepts none. */
function reach(port: number): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const node = connect({ port, host: "127.0.0.1", noDelay: true });
  const fail = (): void => {
    node.destroy();
    resolve(undefined);
  };
  node.setTimeout(times.accept, fail);
  node.once("error", fail);
  node.once("connect", () => {
    node.setTimeout(0);
    resolve(node);
  });
  return promise;
}

/** Passes bytes on, until one side ends. */
function join(client: Socket, node: Socket, target: Target): void {
  target.sockets.add(node);
  node.on("error", () => {});
  node.once("close", () => target.sockets.delete(node));
  if (client.destroyed) return void node.destroy();
  client.setNoDelay(true);
  pipeline(client, node, () => node.destroy());
  pipeline(node, client, () => client.destroy());
}
