/** A terminal in which a newcomer has started something: it shows lines, and takes what is typed. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

/** Milliseconds until a line has to be there: a first `wrangler dev` builds and starts workerd. */
const patience = 60_000;

export class Terminal implements AsyncDisposable {
  readonly #command: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #changed = new EventEmitter();
  /** How many lines have been looked at: what was shown before counts for an earlier step. */
  #read = 0;

  constructor(command: string, cwd: string, env: NodeJS.ProcessEnv) {
    this.#command = command;
    // Its own group, as in a terminal: Ctrl+C reaches whatever the command starts.
    this.#child = spawn("sh", ["-c", `exec ${command}`], { cwd, env, stdio: "pipe", detached: true });
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input }).on("line", (line) => {
        this.#lines.push(stripVTControlCharacters(line));
        this.#changed.emit("line");
      });
    }
    // A client that has ended takes nothing more: `shows` says so.
    this.#child.stdin.on("error", () => {});
    this.#child.once("exit", () => this.#changed.emit("line"));
  }

  /** Waits for a line that has the text. @throws Error with all that it showed if that does not come. */
  async shows(text: string): Promise<void> {
    const signal = AbortSignal.timeout(patience);
    for (;;) {
      const found = this.#lines.findIndex((line, index) => index >= this.#read && line.includes(text));
      if (found >= 0) {
        this.#read = found + 1;
        return;
      }
      if (this.#ended) throw this.#fault(`ended, and did not show "${text}"`);
      await once(this.#changed, "line", { signal }).catch(() => {
        throw this.#fault(`did not show "${text}" within ${patience / 1000} s`);
      });
    }
  }

  types(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Ctrl+C. Returns the exit code. */
  async interrupt(): Promise<number | null> {
    return this.#end("SIGINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #end(signal: "SIGINT" | "SIGKILL"): Promise<number | null> {
    if (this.#ended || this.#child.pid === undefined) return this.#child.exitCode;
    const gone = once(this.#child, "exit", { signal: AbortSignal.timeout(patience) });
    process.kill(-this.#child.pid, signal);
    const [code] = (await gone) as [number | null];
    return code;
  }

  #fault(what: string): Error {
    return new Error(`\`${this.#command}\` ${what}. It showed:\n${this.#lines.join("\n")}`);
  }
}
