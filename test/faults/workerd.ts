/**
 * As much of workerd as an object of ours uses, in memory: storage, an alarm, hibernating sockets, eviction, and a crash between any two turns.
 * What it does is what was measured (docs/maintainers/decisions.md): alarms come one at a time, one that was cut off comes again unless another is set.
 */
import type { ObjectContext } from "../../adapters/durable/context.ts";
import type { NativeSocket } from "../../adapters/workers/types.ts";
import type { Faults } from "./faults.ts";

/** An object's half of a pair. */
export class FakeSocket implements NativeSocket {
  readyState = 1;
  readonly sent: string[] = [];
  /** What the client was told by a close frame. */
  closed: { readonly code: number } | undefined;
  #attachment: unknown = null;
  readonly #faults: () => Faults;

  constructor(faults: () => Faults) {
    this.#faults = faults;
  }

  send(message: string | ArrayBuffer | ArrayBufferView): void {
    if (this.readyState !== 1) throw new Error("Can't call WebSocket send() after close().");
    this.sent.push(String(message));
  }

  close(code = 1005): void {
    if (this.closed !== undefined) throw new Error("WebSocket.close() called after WebSocket.close()");
    this.closed = { code };
    this.readyState = Math.max(this.readyState, 2);
  }

  serializeAttachment(value: unknown): void {
    this.#faults().check("serializeAttachment");
    this.#attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }
}

/** What outlives the object's memory. */
export class FakeObject {
  readonly faults: Faults;
  readonly rows = new Map<string, unknown>();
  alarm: number | null = null;
  /** In the order in which they came. */
  sockets: FakeSocket[] = [];
  /** Is given what is kept alive. */
  readonly #waits: (promise: Promise<unknown>) => void;

  constructor(faults: Faults, waits: (promise: Promise<unknown>) => void) {
    this.faults = faults;
    this.#waits = waits;
  }

  get context(): ObjectContext {
    const { faults } = this;
    return {
      id: { name: "r" },
      waitUntil: (promise) => {
        faults.check("waitUntil");
        this.#waits(promise);
      },
      acceptWebSocket: (ws) => void this.sockets.push(ws as FakeSocket),
      getWebSockets: () => this.sockets.toReversed(),
      setWebSocketAutoResponse: () => {},
      getWebSocketAutoResponseTimestamp: () => {
        faults.check("getWebSocketAutoResponseTimestamp");
        return null;
      },
      storage: {
        getAlarm: () => this.#later("getAlarm", () => this.alarm),
        setAlarm: (time) => this.#later("setAlarm", () => void (this.alarm = time)),
        deleteAlarm: () => this.#later("deleteAlarm", () => void (this.alarm = null)),
        sync: () => this.#later("sync", () => {}),
        transactionSync: (run) => this.#atomically(run),
        kv: {
          get: (key) => this.#now("kv.get", () => this.rows.get(key)),
          put: (key, value) => this.#now("kv.put", () => void this.rows.set(key, value)),
          delete: (key) => this.#now("kv.delete", () => this.rows.delete(key)),
          list: ({ prefix }) => this.#now("kv.list", () => [...this.rows].filter(([key]) => key.startsWith(prefix))),
        },
      },
    };
  }

  #atomically<T>(run: () => T): T {
    const before = new Map(this.rows);
    try {
      return run();
    } catch (error) {
      this.rows.clear();
      for (const [key, value] of before) this.rows.set(key, value);
      throw error;
    }
  }

  #now<T>(what: Parameters<Faults["check"]>[0], answer: () => T): T {
    this.faults.check(what);
    return answer();
  }

  async #later<T>(what: Parameters<Faults["check"]>[0], answer: () => T): Promise<T> {
    this.faults.check(what);
    return answer();
  }
}

/** The globals that the adapter names. Returns what takes them away. */
export function installGlobals(faults: () => Faults): () => void {
  const NativeResponse = globalThis.Response;
  class SwitchingResponse extends NativeResponse {
    constructor(body?: BodyInit | null, init: ResponseInit & { readonly webSocket?: unknown } = {}) {
      // Node's takes no 101.
      super(body, init.status === 101 ? { ...init, status: 200 } : init);
      if (init.status === 101) Object.defineProperty(this, "status", { value: 101 });
    }
  }
  const globals = {
    Response: SwitchingResponse,
    WebSocketPair: class {
      readonly 0 = { accept() {}, close() {} };
      readonly 1 = new FakeSocket(faults);
    },
    WebSocketRequestResponsePair: class {},
  };
  Object.assign(globalThis, globals);
  return () =>
    void Object.assign(globalThis, { Response: NativeResponse, WebSocketPair: undefined, WebSocketRequestResponsePair: undefined });
}
