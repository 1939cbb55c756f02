/** A Redis with a replica, under one address: it fails over to that, and gets a new one. */
import { Redis } from "ioredis";
import { RedisServer } from "../backplane/redis-server.ts";
import { Forwarder } from "./forwarder.ts";

/** Milliseconds that a replica has to copy everything. */
const deadline = 20_000;

export class Primary implements AsyncDisposable {
  readonly #path: string;
  #server: RedisServer;
  #replica: RedisServer;
  #address: Forwarder | undefined;

  static async start(path: string): Promise<Primary> {
    const server = await RedisServer.start(path);
    const primary = new Primary(path, server, await replicaOf(path, server));
    primary.#address = await Forwarder.to(() => [primary.#server.port]);
    return primary;
  }

  private constructor(path: string, server: RedisServer, replica: RedisServer) {
    this.#path = path;
    this.#server = server;
    this.#replica = replica;
  }

  get port(): number {
    return this.#address!.port;
  }

  /** The replica has what was acknowledged with `replicas: 1`. */
  async failOver(): Promise<void> {
    await this.#server.kill();
    await this.#promote();
  }

  /** The replica has nothing of what happens in `meanwhile`. */
  async failOverBehind(meanwhile: () => Promise<void>): Promise<void> {
    this.#replica.pause();
    try {
      // What the kernel holds for it would be read later.
      await ask(this.#server, (client) => client.call("CLIENT", "KILL", "TYPE", "replica"));
      await meanwhile();
      await this.#server.kill();
    } finally {
      this.#replica.resume();
    }
    await this.#promote();
  }

  /** It answers nobody for a while. */
  async stop(milliseconds: number): Promise<void> {
    this.#server.pause();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#server.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#address?.[Symbol.asyncDispose]();
    await Promise.all([this.#server.stop(), this.#replica.stop()]);
  }

  async #promote(): Promise<void> {
    const [old, next] = [this.#server, this.#replica];
    await ask(next, (client) => client.replicaof("NO", "ONE"));
    this.#server = next;
    this.#address?.cut();
    await old.stop();
    this.#replica = await replicaOf(this.#path, next);
  }
}

/** Resolves when it has everything. */
async function replicaOf(path: string, { port }: RedisServer): Promise<RedisServer> {
  const replica = await RedisServer.start(path, "--replicaof", "127.0.0.1", String(port));
  try {
    const count = await ask({ port }, async (client) => {
      await client.set("replicated", port);
      return client.wait(1, deadline);
    });
    if (count < 1) throw new Error(`the replica has not followed within ${deadline} ms`);
    return replica;
  } catch (error) {
    await replica.stop();
    throw error;
  }
}

async function ask<Answer>({ port }: { readonly port: number }, question: (client: Redis) => Promise<Answer>): Promise<Answer> {
  const client = new Redis(port, "127.0.0.1");
  client.on("error", () => {});
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}
