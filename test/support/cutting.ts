/** Chapter D for clients with delivery: to be evicted becomes to be cut, and to come back. */
import type { ConnectOptions, Context, Peer } from "./case.ts";
import type { Client, Event } from "./client.ts";
import { DeliveryClient } from "./delivery.ts";

/** A context whose clients have delivery, and whose `evict` cuts those that are still there; they come back. */
export function cutting(t: Context): Context {
  const clients: DeliveryClient[] = [];
  const on = "delivering";
  const isOver = ({ peer }: DeliveryClient): boolean => t.entries(peer).some(({ hook, did }) => hook === "close" || did === "close");
  const instead: Partial<Context> = {
    async connect(options: ConnectOptions = {}) {
      const client = await DeliveryClient.open(t, { ...options, on });
      clients.push(client);
      return new DeliveredPeer(client);
    },
    async evict() {
      await Promise.all(clients.filter((client) => !isOver(client)).map((client) => client.cutAndBack()));
    },
    outside: (name) => t.outside(name, on),
    barrier: () => t.barrier(on),
  };
  return new Proxy(t, {
    get(target, key) {
      const value: unknown = Reflect.get(key in instead ? instead : target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What is inside of delivery, as if there were none. */
class DeliveredPeer implements Peer {
  readonly #client: DeliveryClient;

  constructor(client: DeliveryClient) {
    this.#client = client;
  }

  get number(): number {
    return this.#client.peer.number;
  }

  get place(): string {
    return this.#client.peer.place;
  }

  get sent(): number {
    return this.#client.peer.sent;
  }

  get after(): () => Promise<void> {
    return this.#client.peer.after;
  }

  get wire(): Client {
    return this.#client.peer.wire;
  }

  get protocol(): string {
    return this.#client.peer.protocol;
  }

  headers(name: string): string[] {
    return this.#client.peer.headers(name);
  }

  send(data: string | Uint8Array): Promise<void> {
    return this.#client.send(data);
  }

  sendAll(messages: readonly (string | Uint8Array)[]): Promise<void> {
    return this.#client.send(...messages);
  }

  ping(count?: number): Promise<void> {
    return this.#client.peer.ping(count);
  }

  close(code?: number, reason?: string): Promise<void> {
    return this.#client.peer.close(code, reason);
  }

  lose(): Promise<void> {
    return this.#client.peer.lose();
  }

  async next(): Promise<Event> {
    for (;;) {
      const met = await this.#client.next();
      if (typeof met === "string") return { type: "text", data: met };
      if (Buffer.isBuffer(met)) return { type: "binary", data: met };
      if ("type" in met) return met;
    }
  }

  pause(): void {
    this.#client.peer.pause();
  }

  resume(): void {
    this.#client.peer.resume();
  }

  get paused(): boolean {
    return this.#client.peer.paused;
  }

  leave(): void {
    this.#client.peer.leave();
  }
}
