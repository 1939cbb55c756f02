/** TypeScript's language server, as an editor speaks to it. */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export class LanguageServer implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #received = Buffer.alloc(0);
  #asked = 0;

  static async start(tsc: string, project: string): Promise<LanguageServer> {
    const server = new LanguageServer(tsc, project);
    await server.ask("initialize", { processId: null, rootUri: pathToFileURL(project).href, capabilities: {} });
    server.tell("initialized", {});
    return server;
  }

  private constructor(tsc: string, cwd: string) {
    this.#process = spawn(process.execPath, [tsc, "--lsp", "--stdio"], { cwd, stdio: ["pipe", "pipe", "ignore"] });
    this.#process.stdout.on("data", (bytes: Buffer) => this.#receive(bytes));
  }

  async ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#asked;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#send({ id, method, params });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  tell(method: string, params: object): void {
    this.#send({ method, params });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  #send(message: Message): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const start = this.#received.indexOf("\r\n\r\n") + 4;
      const end = start + Number(/Content-Length: (\d+)/.exec(this.#received.toString("latin1", 0, start))?.[1]);
      if (start < 4 || !(this.#received.length >= end)) return;
      const message = JSON.parse(this.#received.toString("utf8", start, end)) as Message;
      this.#received = this.#received.subarray(end);
      if (message.id === undefined) continue;
      if (message.method === undefined) this.#waiting.get(message.id)?.(message);
      // What it asks of an editor: settings (there are none), and to be told of files that change.
      else this.#send({ id: message.id, result: message.method === "workspace/configuration" ? [] : null });
    }
  }
}
