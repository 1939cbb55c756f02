/** What a case of the battery may use, on every platform: nothing of a runtime's own. */
import { ReconnectingWebSocket, type ClientOptions, type Protocols } from "edgewire/client";

/** What the server does with a connection: with the n-th of a client, the n-th plan; with later ones, the last. */
export interface Plan {
  /** Answers the handshake with this status; not 401, after which Node's WebSocket asks a second time. */
  readonly refuse?: number;
  /** Never answers the handshake. On a port of its own: browsers make one handshake after the other with each. */
  readonly hang?: boolean;
  readonly protocol?: string;
  /** Sends back what it receives. */
  readonly echo?: boolean;
  /** Answers no text ping. */
  readonly mute?: boolean;
  /** Once it is open. A client's text "!" + JSON is one too. */
  readonly steps?: readonly Step[];
}

export type Step =
  | readonly ["send", string]
  | readonly ["bytes", readonly number[]]
  | readonly ["close", code?: number, reason?: string]
  /** Reads nothing more. */
  | readonly ["deaf"]
  | readonly ["reset"];

/** What the server saw of one: texts, bytes, and the client's close frame. */
export interface Connection {
  received: (string | number[])[];
  closed?: [code: number, reason: string];
  error?: string;
}

export interface Case {
  readonly name: string;
  run(kit: Kit): Promise<void>;
}

export type Events = (string | number)[][];

let clients = 0;

export class Kit {
  readonly #server: string;
  readonly #options: ClientOptions;
  readonly #prefix: string;
  #made: ReconnectingWebSocket[] = [];

  /** `server` is its host and port; `prefix` tells platforms apart. */
  constructor(server: string, prefix: string, options: ClientOptions) {
    this.#server = server;
    this.#prefix = prefix;
    this.#options = options;
  }

  /** A client's address, and the way to what the server saw of it. */
  address(...plans: Plan[]): { url: string; seen(): Promise<Connection[]> } {
    const id = `${this.#prefix}-${++clients}-${Math.random()}`;
    const host = plans[0]?.hang ? this.#server.replace("127.0.0.1", "127.0.0.2") : this.#server;
    return {
      url: `ws://${host}/${id}?plan=${encodeURIComponent(JSON.stringify(plans.length > 0 ? plans : [{}]))}`,
      seen: async () => (await fetch(`http://${this.#server}/seen/${id}`)).json() as Promise<Connection[]>,
    };
  }

  connect(plans: Plan | readonly Plan[] = {}, options: ClientOptions = {}, protocols: Protocols = []) {
    const { url, seen } = this.address(...[plans].flat());
    return { ...this.open(url, options, protocols), seen };
  }

  open(url: ConstructorParameters<typeof ReconnectingWebSocket>[0], options: ClientOptions = {}, protocols: Protocols = []) {
    const quick = { firstDelay: 20, maxDelay: 100, connectTimeout: 10_000, ...this.#options };
    const socket = new ReconnectingWebSocket(url, protocols, { ...quick, ...options });
    this.#made.push(socket);
    const events: Events = [];
    const types = ["open", "message", "disconnect", "retry", "error", "close", "drop"] as const;
    for (const type of types) {
      socket.addEventListener(type, (event: Event) => {
        const { code, data } = event as Event & { code?: number; data?: unknown };
        events.push([type, ...(code === undefined ? [] : [code]), ...(typeof data === "string" ? [data] : [])]);
      });
    }
    return { socket, events };
  }

  /** So many messages, from now on. */
  async messages(socket: ReconnectingWebSocket, count: number): Promise<unknown[]> {
    const received: unknown[] = [];
    const hear = ({ data }: MessageEvent): void => void received.push(data);
    socket.addEventListener("message", hear);
    await this.until(`${count} messages`, () => received.length >= count);
    socket.removeEventListener("message", hear);
    return received;
  }

  /** The next event of this type. */
  next<E extends Event>(socket: ReconnectingWebSocket, type: string): Promise<E> {
    return within(
      `the event ${type}`,
      new Promise((resolve) => socket.addEventListener(type, resolve as (event: Event) => void, { once: true })),
    );
  }

  async until<T>(what: string, found: () => T | Promise<T>): Promise<Exclude<T, false | undefined>> {
    for (let turn = 0; turn < 300; turn++) {
      const value = await found();
      if (value) return value as Exclude<T, false | undefined>;
      await this.sleep(20);
    }
    throw new Error(`never: ${what}`);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  end(): void {
    for (const socket of this.#made) socket.close();
  }
}

export function equal(actual: unknown, expected: unknown, what = ""): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what} ${one} is not ${other}`.trim());
}

/** The name of the error that is thrown. */
export function nameOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).name;
  }
  return "nothing";
}

/** Runs one case. Resolves to "" or what is wrong. */
export async function runCase({ run }: Case, server: string, prefix: string, options: ClientOptions): Promise<string> {
  const kit = new Kit(server, prefix, options);
  try {
    await within("its end", run(kit), 20_000);
    kit.end();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

function within<T>(what: string, result: Promise<T>, milliseconds = 8000): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), milliseconds);
    result.then(resolve, reject).then(() => clearTimeout(timer));
  });
}
