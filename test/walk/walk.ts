/**
 * A newcomer's walk: does what a page of docs/guide/getting-started says, from top to bottom, in an empty folder. The registry that npm, Bun and Deno ask has the
 * packed tarball as `edgewire`; nothing else is different. Blocks of a page say what they are:
 * `file=NAME` is written, `run` is run to its end, `terminal=NAME` is started and stays, `shown=NAMES` must appear in those terminals,
 * `typed=NAME` is typed there, `deploy` is the last step.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../create/container.ts";
import type { Workshop } from "../create/workshop.ts";
import { readPage, type Block } from "../docs/pages.ts";
import { Terminal } from "./terminal.ts";

export const pages = ["node", "bun", "deno", "cloudflare"] as const;
export type PageName = (typeof pages)[number];

/** Seconds from the first command on. */
export interface Times {
  readonly installed: number;
  readonly talking: number;
  readonly deployed: number;
}

export interface WalkOptions {
  /** In place of the page's own port, where others may have that one. */
  readonly port?: number;
  /** Variables of every command. */
  readonly env?: NodeJS.ProcessEnv;
  /** Instead of the page in the repository. */
  readonly blocks?: readonly Block[];
}

/** @throws Error that says which step of the page failed, and how. */
export async function walk(workshop: Workshop, name: PageName, options: WalkOptions = {}): Promise<Times> {
  await using walker = new Walker(workshop, name, options);
  for (const block of options.blocks ?? readPage(pathOf(name)).blocks) await walker.does(block);
  return walker.times();
}

export function pathOf(name: PageName): string {
  return `docs/guide/getting-started/${name}.md`;
}

class Walker implements AsyncDisposable {
  readonly #workshop: Workshop;
  readonly #page: string;
  readonly #folder: string;
  readonly #port: number | undefined;
  readonly #env: NodeJS.ProcessEnv;
  readonly #terminals = new Map<string, Terminal>();
  readonly #begin = performance.now();
  #installed: number | undefined;
  #talking: number | undefined;
  #deployed: number | undefined;

  constructor(workshop: Workshop, name: PageName, { port, env = {} }: WalkOptions) {
    this.#workshop = workshop;
    this.#page = pathOf(name);
    this.#folder = join(mkdtempSync(join(workshop.folder, `${name}-`)), "chat");
    mkdirSync(this.#folder);
    this.#port = port;
    this.#env = { ...env, ...(port === undefined ? {} : { PORT: String(port) }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#terminals.values(), (terminal) => terminal[Symbol.asyncDispose]()));
  }

  async does({ language, attributes, code }: Block): Promise<void> {
    try {
      await this.#step(language, attributes, this.#withPort(code));
    } catch (error) {
      throw new Error(`${this.#page}: ${[language, ...attributes.keys()].join(" ")}:\n${code}\n${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** @throws Error if the page lacks a step. */
  times(): Times {
    const [installed, talking, deployed] = [this.#installed, this.#talking, this.#deployed];
    if (installed === undefined || talking === undefined || deployed === undefined) {
      throw new Error(`${this.#page} lacks a step: it has to install, to have two clients talk, and to deploy`);
    }
    return { installed, talking, deployed };
  }

  async #step(language: string, attributes: ReadonlyMap<string, string>, code: string): Promise<void> {
    const [file, terminal, shown, typed] = ["file", "terminal", "shown", "typed"].map((key) => attributes.get(key));
    if (file !== undefined) writeFileSync(join(this.#folder, file), code);
    else if (terminal !== undefined) this.#terminals.set(terminal, this.#open(code.trim()));
    else if (shown !== undefined) await this.#shown(shown.split(","), code.trimEnd());
    else if (typed !== undefined) this.#terminal(typed).types(code);
    else if (attributes.has("run")) await this.#install(code);
    else if (attributes.has("deploy")) await this.#deploy(code.trim());
    else throw new Error(`what is this block of ${language}?`);
  }

  async #install(commands: string): Promise<void> {
    await this.#workshop.run(this.#folder, ["sh", "-e", "-c", commands], this.#env);
    this.#installed = this.#seconds();
  }

  async #shown(terminals: readonly string[], text: string): Promise<void> {
    for (const line of text.split("\n")) await Promise.all(terminals.map((name) => this.#terminal(name).shows(line)));
    this.#talking = this.#seconds();
  }

  /** Without an account or a daemon of Docker's: wrangler bundles and checks, and the Dockerfile's commands run in a folder. */
  async #deploy(commands: string): Promise<void> {
    if (commands === "npx wrangler deploy") await this.#workshop.run(this.#folder, ["sh", "-c", `${commands} --dry-run`], this.#env);
    else await this.#contain(commands);
    this.#deployed = this.#seconds();
  }

  /** The container takes the place of the server, and the clients come back to it. */
  async #contain(commands: string): Promise<void> {
    const [first = "", second = "", ...more] = commands.split("\n");
    const image = /^docker build -t (\S+) \.$/.exec(first)?.[1];
    const port = this.#port ?? 3000;
    if (image === undefined || second !== `docker run -p ${port}:${port} ${image}` || more.length > 0) {
      throw new Error("this is not `docker build` and `docker run` of one image");
    }
    const command = await build(this.#workshop, this.#folder, `${this.#folder}-image`);
    const code = await this.#terminal("server").interrupt();
    if (code !== 0) throw new Error(`the server ended with exit code ${code} at Ctrl+C`);
    this.#terminals.set("server", this.#open(command.join(" "), `${this.#folder}-image`));
    await Promise.all(["ada", "grace"].map((name) => this.#terminal(name).shows("open")));
    this.#terminal("ada").types("again\n");
    await this.#terminal("grace").shows("Ada: again");
  }

  #open(command: string, folder: string = this.#folder): Terminal {
    return new Terminal(command, folder, { ...this.#workshop.env, ...this.#env });
  }

  #terminal(name: string): Terminal {
    const terminal = this.#terminals.get(name);
    if (terminal === undefined) throw new Error(`no block has opened the terminal "${name}"`);
    return terminal;
  }

  #withPort(code: string): string {
    return this.#port === undefined ? code : code.replaceAll(/(localhost:|-p |:)3000\b/g, `$1${this.#port}`);
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#begin) / 100) / 10;
  }
}
