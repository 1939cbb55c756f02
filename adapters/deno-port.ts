/**
 * The port that `serve` listens on. Deno accepts connections until the first time that it can't (out of descriptors or memory, a network that is
 * down), or until a handler upgrades a request and answers it with something else. Then it listens no longer, and only `finished` tells: by a
 * rejection, which ends the process unless somebody holds it. Open connections live on (ext/http/http_next.rs, `op_http_serve`; 2.9.5, measured).
 * Here the same port is listened on again.
 */
import { log } from "../src/errors.ts";
import type { MaybePromise } from "../src/types.ts";
import type { NativeInfo } from "./deno-requests.ts";

/** @param opened is told of the socket if the request is upgraded. */
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

/** Milliseconds until the port is listened on again: at first, and at most. */
const shortest = 100;
const longest = 1000;
/** Milliseconds after which a port that is listened on again is as good as new. */
const steady = 10_000;
/** Milliseconds between two lines that say the same. */
const minute = 60_000;

export class Port {
  readonly number: number;
  readonly #options: PortOptions;
  readonly #handler: Handler;
  /** The one that accepts, and those before it that have connections. */
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

  /** Cuts every connection. Settles when nothing is accepted any longer; never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const acceptor of this.#acceptors) acceptor.abort();
    await Promise.all(Array.from(this.#acceptors, ({ over }) => over));
  }

  #listen(port: number): Acceptor {
    const acceptor = new Acceptor({ ...this.#options, port }, this.#handler, this.#acceptors.size === 0);
    this.#acceptors.add(acceptor);
    void acceptor.over.then((error) => this.#lose(acceptor, error));
    return acceptor;
  }

  #lose({ since }: Acceptor, error: unknown): void {
    if (this.#closed) return;
    this.#tell(`connections on port ${this.number} are no longer accepted, it is listened on again`, error);
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
      this.#tell(`port ${this.number} can't be listened on again yet`, error);
      this.#schedule();
    }
  };

  #tell(what: string, error: unknown): void {
    const now = performance.now();
    if (now < (this.#quietUntil.get(what) ?? 0)) return;
    this.#quietUntil.set(what, now + minute);
    log("error", `${what} (said once a minute at most):`, error);
  }
}

/** One `Deno.serve`. */
class Acceptor {
  readonly port: number;
  readonly since: number = performance.now();
  /** Settles with the reason when it accepts no longer. Never rejects. */
  readonly over: Promise<unknown>;
  readonly #native: NativeServer;
  readonly #stop = new AbortController();
  /** Requests and sockets that are open. The first one's are not counted: it is kept until the port is closed. */
  #held: number;
  /** Deno has nothing of it any longer: an abort would be an uncaught error. */
  #gone = false;

  constructor(options: PortOptions, handler: Handler, first: boolean) {
    this.#held = first ? 1 : 0;
    this.#native = Deno.serve({ ...options, signal: this.#stop.signal, onListen: () => {} }, first ? handler : this.#counting(handler));
    this.port = this.#native.addr.port;
    this.over = this.#native.finished.then(
      () => {
        this.#gone = true;
        return new Error("the native server has ended");
      },
      (error: unknown) => error,
    );
  }

  abort(): void {
    if (!this.#gone) this.#stop.abort();
  }

  /** To be asked once it is over. False as long as it has connections; clients that have sent no request yet get FIN. */
  release(): boolean {
    if (this.#held > 0) return false;
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
    this.#held++;
    return () => {
      if (open) this.#held--;
      open = false;
    };
  }
}

/**
 * Deno starts its thread for signals half a second after the program, and panics if no descriptor is left by then (cli/worker.rs,
 * ext/signals/lib.rs; 2.9.5, measured): a listener starts it now.
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
