/**
 * The port that `serve` listens on. Deno's accept loop ends at its first error (out of descriptors or memory, the network is down), and also if a
 * handler upgrades a request but returns another response. Deno then stops listening, and only `finished` rejects, which ends the process unless
 * it is handled. Open connections continue (ext/http/http_next.rs, `op_http_serve`; 2.9.5, measured). This class then listens on the same port
 * again.
 */
import { log } from "../../src/values/log.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { NativeInfo } from "./requests.ts";

/** @param opened is called with the socket if the request is upgraded. */
export type Handler = (request: Request, info: NativeInfo, opened?: (socket: Socket) => void) => MaybePromise<Response>;

interface Socket {
  addEventListener(type: "close" | "error", listener: () => void): void;
}

export interface PortOptions {
  readonly port: number;
  readonly hostname: string;
  readonly cert?: string;
  readonly key?: string;
}

interface NativeOptions extends PortOptions {
  readonly signal: AbortSignal;
  onListen(): void;
}

interface NativeServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

declare const Deno: {
  serve(options: NativeOptions, handler: Handler): NativeServer;
  addSignalListener(signal: "SIGUSR1", listener: () => void): void;
  removeSignalListener(signal: "SIGUSR1", listener: () => void): void;
};

/** Milliseconds before the next attempt to listen: at first, and at most. */
const shortest = 100;
const longest = 1000;
/** Milliseconds of listening after which a failure counts as the first again. */
const steady = 10_000;
/** Milliseconds between two log lines of the same kind. */
const minute = 60_000;

export class Port {
  readonly number: number;
  readonly #options: PortOptions;
  readonly #handler: Handler;
  /** The current acceptor, and earlier ones that still have connections. */
  readonly #acceptors = new Set<Acceptor>();
  readonly #quietUntil = new Map<string, number>();
  #delay = shortest;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @throws what `Deno.serve` throws. */
  constructor(options: PortOptions, handler: Handler) {
    this.#options = options;
    this.#handler = handler;
    startSignals();
    this.number = this.#listen(options.port).port;
  }

  /** Cuts every connection. Resolves when the port is free; never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const acceptor of this.#acceptors) acceptor.abort();
    await Promise.all(Array.from(this.#acceptors, ({ stopped }) => stopped));
  }

  #listen(port: number): Acceptor {
    const acceptor = new Acceptor({ ...this.#options, port }, this.#handler, this.#acceptors.size === 0);
    this.#acceptors.add(acceptor);
    void acceptor.stopped.then((error) => this.#restart(acceptor, error));
    return acceptor;
  }

  #restart({ since }: Acceptor, error: unknown): void {
    if (this.#closed) return;
    this.#log(`port ${this.number} stopped accepting connections; listening again`, error);
    if (performance.now() - since > steady) this.#delay = shortest;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer = setTimeout(this.#retry, this.#delay);
    this.#delay = Math.min(2 * this.#delay, longest);
  }

  readonly #retry = (): void => {
    for (const acceptor of this.#acceptors) if (acceptor.release()) this.#acceptors.delete(acceptor);
    try {
      this.#listen(this.number);
    } catch (error) {
      this.#log(`can't listen on port ${this.number} yet; retrying`, error);
      this.#schedule();
    }
  };

  #log(what: string, error: unknown): void {
    const now = performance.now();
    if (now < (this.#quietUntil.get(what) ?? 0)) return;
    this.#quietUntil.set(what, now + minute);
    log("error", `${what} (logged at most once a minute) [EW609]:`, error);
  }
}

/** One `Deno.serve`. */
class Acceptor {
  readonly port: number;
  readonly since: number = performance.now();
  /** Settles with the reason when it stops accepting. Never rejects. */
  readonly stopped: Promise<unknown>;
  readonly #native: NativeServer;
  readonly #stop = new AbortController();
  /** The number of open requests and sockets. The first acceptor is kept until the port closes, so its requests are not counted. */
  #inUse: number;
  /** Deno has released the server: aborting it would throw an uncaught error. */
  #released = false;

  constructor(options: PortOptions, handler: Handler, first: boolean) {
    this.#inUse = first ? 1 : 0;
    this.#native = Deno.serve({ ...options, signal: this.#stop.signal, onListen: () => {} }, first ? handler : this.#counting(handler));
    this.port = this.#native.addr.port;
    this.stopped = this.#native.finished.then(
      () => {
        this.#released = true;
        return new Error("the native server has ended [EW610]");
      },
      (error: unknown) => error,
    );
  }

  abort(): void {
    if (!this.#released) this.#stop.abort();
  }

  /** Releases an acceptor that has stopped. Returns false while it has connections. Clients that have not sent a request yet get FIN. */
  release(): boolean {
    if (this.#inUse > 0) return false;
    this.#native.shutdown().catch(() => {});
    return true;
  }

  #counting(handler: Handler): Handler {
    return (request, info) => {
      const end = this.#begin();
      info.completed.then(end, end);
      return handler(request, info, (socket) => {
        const closed = this.#begin();
        for (const type of ["close", "error"] as const) socket.addEventListener(type, closed);
      });
    };
  }

  #begin(): () => void {
    let open = true;
    this.#inUse++;
    return () => {
      if (open) this.#inUse--;
      open = false;
    };
  }
}

/**
 * Deno starts its signal thread half a second after the program, and panics if it is out of descriptors by then (cli/worker.rs,
 * ext/signals/lib.rs; 2.9.5, measured). Adding a listener starts the thread now.
 */
function startSignals(): void {
  const none = (): void => {};
  try {
    Deno.addSignalListener("SIGUSR1", none);
    Deno.removeSignalListener("SIGUSR1", none);
  } catch {
    // Windows has no such signal, and needs no descriptor.
  }
}
