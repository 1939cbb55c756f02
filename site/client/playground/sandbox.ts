/**
 * Where the handler runs: a worker in a frame without an origin and without a network. So an address that somebody shares can do nothing to this
 * site or its reader, and an endless loop can be stopped.
 */
import type { Command, Report } from "./protocol.ts";

export interface SandboxListener {
  report(report: Report): void;
  /** It has not answered for too long, and was stopped. */
  hung(): void;
}

/** Milliseconds between questions whether it still runs, and until an answer must have come. */
const interval = 500;
const patience = 5000;

const policy = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:";
const frame = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}"><script>
addEventListener("message", ({ data, ports }) => {
  const url = URL.createObjectURL(new Blob([data], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onerror = ({ message }) => parent.postMessage(message, "*");
  worker.postMessage(ports[0], [ports[0]]);
}, { once: true });
</script>`;

/** The worker's source, loaded once. */
let source: Promise<string> | undefined;

async function loadSource(): Promise<string> {
  const response = await fetch("worker.js");
  if (!response.ok) throw new Error(`worker.js: ${response.status}`);
  return response.text();
}

export class Sandbox {
  readonly #frame: HTMLIFrameElement = document.createElement("iframe");
  readonly #end = new AbortController();
  readonly #port: MessagePort;
  readonly #watch: ReturnType<typeof setInterval>;
  /** When the question was asked that is not answered yet. */
  #asked: number | undefined;
  #isReady = false;

  constructor(listener: SandboxListener) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "pong") this.#asked = undefined;
      else if (data.type === "ready") this.#isReady = true;
      listener.report(data);
    };
    this.#frame.setAttribute("sandbox", "allow-scripts");
    this.#frame.title = "Where the handler runs";
    this.#frame.hidden = true;
    this.#frame.srcdoc = frame;
    this.#frame.addEventListener("load", () => void this.#load(port2, listener), { once: true });
    // What the worker can't tell itself: that it does not start.
    const failed = ({ data, source: from }: MessageEvent<unknown>): void => {
      if (from === this.#frame.contentWindow) listener.report({ type: "problem", problem: { message: String(data), isSyntax: false } });
    };
    addEventListener("message", failed, { signal: this.#end.signal });
    document.body.append(this.#frame);
    this.#watch = setInterval(() => this.#ask(listener), interval);
  }

  send(command: Command): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has one other end
    this.#port.postMessage(command);
  }

  /** Ends the worker, whatever it does. */
  stop(): void {
    this.#end.abort();
    clearInterval(this.#watch);
    this.#port.close();
    this.#frame.remove();
  }

  async #load(port: MessagePort, listener: SandboxListener): Promise<void> {
    try {
      source ??= loadSource();
      this.#frame.contentWindow?.postMessage(await source, "*", [port]);
    } catch (error) {
      source = undefined;
      listener.report({ type: "problem", problem: { message: `the playground could not be loaded: ${String(error)}`, isSyntax: false } });
    }
  }

  #ask(listener: SandboxListener): void {
    if (!this.#isReady) return;
    if (this.#asked === undefined) {
      this.#asked = performance.now();
      this.send({ type: "ping" });
    } else if (performance.now() - this.#asked > patience) {
      this.stop();
      listener.hung();
    }
  }
}
