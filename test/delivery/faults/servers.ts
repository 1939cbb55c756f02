/** Servers of the room, in processes of their own: over a file, or in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Process, type RuntimeName } from "../../kill/process.ts";

export class Servers implements AsyncDisposable {
  port = 0;
  readonly #runtime: RuntimeName;
  /** Undefined: rooms are in memory. */
  readonly #folder: string | undefined;
  #process: Process;

  static async start(runtime: RuntimeName, isStored: boolean): Promise<Servers> {
    const servers = new Servers(runtime, isStored ? mkdtempSync(join(tmpdir(), "edgewire-faults-")) : undefined);
    servers.port = await servers.#process.listening;
    return servers;
  }

  private constructor(runtime: RuntimeName, folder: string | undefined) {
    this.#runtime = runtime;
    this.#folder = folder;
    this.#process = this.#launch();
  }

  /** Kills it, and starts another on the same port and file. */
  async kill(): Promise<void> {
    await this.#process.end();
    this.#process = this.#launch();
    await this.#process.listening;
  }

  /** Kills the next one while it starts, too. @param milliseconds that it has. */
  async killTwice(milliseconds: number): Promise<void> {
    await this.#process.end();
    this.#process = this.#launch();
    await Promise.race([this.#process.listening, new Promise((resolve) => setTimeout(resolve, milliseconds))]);
    await this.kill();
  }

  /** It does nothing for a while, and its clients can't tell why. */
  async stop(milliseconds: number): Promise<void> {
    this.#process.pause();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#process.goOn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #launch(): Process {
    const file = this.#folder === undefined ? "-" : join(this.#folder, "rooms.db");
    const program = "../delivery/faults/serve.ts";
    return new Process({ runtime: this.#runtime, file, late: false, program, args: [String(this.port)] });
  }
}
