/** A real workerd with the faulty objects, and one of its rooms with its clients. */
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { WebSocket } from "ws";
import { compatibilityDate } from "../support/runtimes.ts";
import { bundleWorker } from "../support/workerd.ts";
import { pingText, pongText } from "../../src/protocol/text-ping.ts";
import { idsOf } from "./check.ts";
import type { Line, Opening, Step } from "./handler.ts";

export class Place {
  readonly log: Line[] = [];
  readonly #mf: Miniflare;
  port = 0;

  /** @param folder where storage outlives the process. */
  static async start(folder?: string): Promise<Place> {
    const script = await bundleWorker(fileURLToPath(new URL("worker.ts", import.meta.url)));
    return new Place(script, folder).#ready();
  }

  private constructor(script: string, folder: string | undefined) {
    this.#mf = new Miniflare({
      ...convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        handleStructuredLogs: ({ message }) => void (message.startsWith("@@") && this.log.push(JSON.parse(message.slice(2)) as Line)),
        workers: [
          {
            name: "faults",
            modules: true,
            script,
            compatibilityDate,
            durableObjects: { ROOM: { className: "Room", useSQLite: true } },
            unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
          },
        ],
      }),
      ...(folder === undefined ? {} : { resourcePersistencePath: folder }),
    });
  }

  async #ready(): Promise<this> {
    await this.#mf.ready;
    this.port = Number((await this.#mf.unsafeGetDirectURL("faults", "default")).port);
    // The first look at a function blocks this thread (test/serve/cloudflare.ts).
    await this.evict("nobody");
    return this;
  }

  async evict(room: string): Promise<void> {
    await this.#mf.unsafeEvictDurableObject("faults", "Room", { name: room, asynchronous: new Blob() } as never).catch(() => {});
  }

  stop(): Promise<void> {
    return this.#mf.dispose();
  }
}

export class RealClient {
  readonly #ws: WebSocket;
  readonly #received: string[] = [];

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on("message", (data: Buffer) => void this.#received.push(data.toString()));
    ws.on("error", () => {});
  }

  /** Undefined if it is refused. */
  static async open(url: string): Promise<RealClient | undefined> {
    const ws = new WebSocket(url);
    const client = new RealClient(ws);
    return new Promise((resolve) => {
      ws.on("open", () => resolve(client));
      ws.on("error", () => resolve(undefined));
    });
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  say(text: string): void {
    if (this.isOpen) this.#ws.send(text);
  }

  answer(nr: number): readonly unknown[] | undefined {
    for (const text of this.#received) {
      if (text === pongText) continue;
      const answer = JSON.parse(text) as { nr: number; results: unknown[] };
      if (answer.nr === nr) return answer.results;
    }
    return undefined;
  }

  leave(): void {
    this.#ws.close(1000);
  }

  lose(): void {
    this.#ws.terminate();
  }
}

export class RealRoom {
  readonly clients: RealClient[] = [];
  readonly killed = new Set<string>();
  kills = 0;
  readonly name: string;
  readonly #place: Place;
  #nr = 0;

  constructor(place: Place, name: string) {
    this.#place = place;
    this.name = name;
  }

  get log(): readonly Line[] {
    return this.#place.log.filter(({ room }) => room === this.name);
  }

  async connect({ letters, expires }: Opening): Promise<void> {
    const query = new URLSearchParams({ letters: String(letters), ...(expires === undefined ? {} : { expires: String(expires) }) });
    const client = await RealClient.open(`ws://127.0.0.1:${this.#place.port}/${this.name}?${query}`);
    if (client !== undefined) this.clients.push(client);
  }

  tell(client: RealClient, steps: readonly Step[]): number {
    client.say(JSON.stringify({ nr: ++this.#nr, steps }));
    return this.#nr;
  }

  ping(client: RealClient): void {
    client.say(pingText);
  }

  /** A call of the Worker's, or of the object's own. */
  async ask(what: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#place.port}/${this.name}/${what}`, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  }

  evict(): Promise<void> {
    return this.#place.evict(this.name);
  }

  async kill(): Promise<void> {
    this.kills++;
    await this.ask("kill");
    // Its last lines are on their way.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { log } = this;
    const closed = idsOf(log, "close");
    for (const id of idsOf(log, "open")) if (!closed.includes(id)) this.killed.add(id);
  }
}
