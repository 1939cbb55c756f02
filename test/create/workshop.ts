/** A folder for new projects, with a registry that has the packed tarballs, and the commands that a newcomer gives there. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { pack, packCreate } from "../../scripts/pack.ts";
import { bunBinary, denoBinary } from "../support/runtimes.ts";
import { Registry } from "./registry.ts";

export class Workshop implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "edgewire-create-"));
  readonly #registry: Registry;
  /** npm's own cache stays, so that what `npm ci` has fetched is not fetched again. The others name no registry in their keys. */
  readonly #env: NodeJS.ProcessEnv;

  static async open(): Promise<Workshop> {
    return new Workshop(await Registry.start([pack(), packCreate()]));
  }

  private constructor(registry: Registry) {
    this.#registry = registry;
    this.#env = {
      ...process.env,
      // npm takes the lower case, Bun and Deno the upper.
      npm_config_registry: registry.url,
      NPM_CONFIG_REGISTRY: registry.url,
      npm_config_prefer_offline: "true",
      npm_config_audit: "false",
      npm_config_update_notifier: "false",
      BUN_INSTALL_CACHE_DIR: this.#made("bun"),
      DENO_DIR: this.#made("deno"),
      // Where `bun create` installs.
      TMPDIR: this.#made("tmp"),
      // Deno's own binary first: the other one passes no signals on.
      PATH: [dirname(denoBinary()), dirname(bunBinary), process.env["PATH"]].join(delimiter),
      CI: "1",
      NO_COLOR: "1",
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    };
    // Vitest sets it to "test", and a newcomer does not.
    delete this.#env["NODE_ENV"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What its commands run with. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** Of npm, for `npm create`: its folder of programs is reused without a look at what the registry has by now. */
  get ownCache(): NodeJS.ProcessEnv {
    return { npm_config_cache: this.#made("npm") };
  }

  /** Runs a command to its end, and returns its output. @throws Error with the output if it fails. */
  async run(cwd: string, [program, ...args]: Command, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const child = spawn(program, args, { cwd, env: { ...this.#env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => void (output += text));
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 0) throw new Error(`${[program, ...args].join(" ")}: exit code ${status}\n${output}`);
    return stripVTControlCharacters(output);
  }

  /** Starts a server; resolves when it has printed its URL. */
  async start(cwd: string, [program, ...args]: Command): Promise<Server> {
    const env = { ...this.#env, PORT: "0" };
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const lines: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on("line", (line) => {
          lines.push(line);
          const found = /(?:listening|Ready) on (http:\S+)/.exec(stripVTControlCharacters(line))?.[1];
          if (found !== undefined) resolve(found);
        });
      }
      child.once("exit", () => reject(new Error(`${[program, ...args].join(" ")} ended without a URL:\n${lines.join("\n")}`)));
    });
    return new Server(url, child);
  }

  #made(name: string): string {
    const folder = join(this.folder, ".caches", name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}

export type Command = readonly [program: string, ...args: string[]];

export class Server implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** As Ctrl+C does: a signal to all processes of the group. Returns the exit code. */
  async stop(signal: "SIGINT" | "SIGTERM" = "SIGINT"): Promise<number | null> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return exitCode;
    const gone = once(this.#child, "exit");
    process.kill(-pid, signal);
    const [code] = (await gone) as [number | null];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGTERM");
  }
}
