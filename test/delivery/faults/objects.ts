/** Durable Objects of the room, in a real workerd. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { compatibilityDate } from "../../support/runtimes.ts";
import { bundleWorker } from "../../support/workerd.ts";

/** What the Worker uses of the platform. */
export interface DurableEnv {
  readonly ROOM: { idFromName(name: string): unknown; get(id: unknown): { abortNow(): Promise<void> } };
}

export class Objects implements AsyncDisposable {
  port = 0;
  readonly #mf: Miniflare;
  readonly #script: string;
  /** Where storage outlives a version. */
  readonly #folder = mkdtempSync(join(tmpdir(), "edgewire-faults-"));
  #version = 0;

  static async start(): Promise<Objects> {
    const objects = new Objects(await bundleWorker(fileURLToPath(new URL("worker.ts", import.meta.url))));
    await objects.#listening();
    // The first look at a function blocks this thread (test/serve/cloudflare.ts).
    await objects.evict("nobody");
    return objects;
  }

  private constructor(script: string) {
    this.#script = script;
    this.#mf = new Miniflare(this.#options());
  }

  /** Forgets what the object has in memory; its sockets stay. */
  async evict(room: string): Promise<void> {
    // A Blob makes the call asynchronous: Miniflare would block this thread, which the clients run in.
    await this.#mf.unsafeEvictDurableObject("faults", "Room", { name: room, asynchronous: new Blob() } as never).catch(() => {});
  }

  async abort(room: string): Promise<void> {
    await (await fetch(`http://127.0.0.1:${this.port}/abort/${room}`)).arrayBuffer();
  }

  /** A new version of the script, over the same storage: all sockets are lost. */
  async deploy(): Promise<void> {
    this.#version++;
    await this.#mf.setOptions(this.#options());
    await this.#listening();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mf.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #options(): ReturnType<typeof convertV4MiniflareOptions> {
    const options = convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      handleStructuredLogs: () => {},
      workers: [
        {
          name: "faults",
          modules: true,
          script: `${this.#script}\n// version ${this.#version}\n`,
          compatibilityDate,
          durableObjects: { ROOM: { className: "Room", useSQLite: true } },
          // Miniflare's own port has a proxy in front that changes what a client sees. The port stays.
          unsafeDirectSockets: [{ host: "127.0.0.1", port: this.port }],
        },
      ],
    });
    return { ...options, resourcePersistencePath: this.#folder };
  }

  async #listening(): Promise<void> {
    await this.#mf.ready;
    this.port = Number((await this.#mf.unsafeGetDirectURL("faults", "default")).port);
  }
}
