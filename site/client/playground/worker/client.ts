/** One of the two clients: a WebSocket, one that reconnects, or one with delivery, over a network that can be cut. */
import { ReconnectingWebSocket } from "edgewire/client";
import { DeliverySocket } from "edgewire/delivery/client";
import type { Memory, MemoryWebSocket } from "edgewire/memory";
import type { ClientKind, ClientStatus, LineKind } from "../protocol.ts";
import { Network } from "./network.ts";
import { message } from "./show.ts";

export interface ClientListener {
  status(status: ClientStatus): void;
  line(kind: LineKind, text: string): void;
}

type AnySocket = MemoryWebSocket | ReconnectingWebSocket | DeliverySocket;

/** Short waits: whoever tries it out looks on. */
const waits = { firstDelay: 300, maxDelay: 2000 } as const;

export class Client {
  readonly network: Network;
  readonly #listener: ClientListener;
  #socket: AnySocket | undefined;

  constructor(server: () => Memory | undefined, listener: ClientListener) {
    this.network = new Network(server);
    this.#listener = listener;
  }

  connect(kind: ClientKind, url: string, protocols: readonly string[]): void {
    this.#leave();
    this.#listener.status("connecting");
    try {
      this.#socket = this.#create(kind, url, [...protocols]);
      this.#listen(this.#socket);
    } catch (error) {
      this.#listener.status("closed");
      this.#listener.line("trouble", String(error));
    }
  }

  send(text: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    try {
      if (socket instanceof DeliverySocket) this.#deliver(socket, text);
      else {
        const result = socket.send(text);
        this.#listener.line("sent", result === undefined || result === "sent" ? text : `${text} (${result})`);
      }
    } catch (error) {
      this.#listener.line("trouble", String(error));
    }
  }

  close(): void {
    void this.#socket?.close(1000);
  }

  cut(isCut: boolean): void {
    this.network.cut(isCut);
    this.#listener.line("event", isCut ? "the network is cut" : "the network is back");
    if (!isCut) this.retry();
  }

  slow(isSlow: boolean): void {
    this.network.slow(isSlow);
    this.#listener.line("event", isSlow ? "reads nothing any more" : "reads again");
  }

  /** Tries at once. */
  retry(): void {
    if (this.#socket instanceof ReconnectingWebSocket || this.#socket instanceof DeliverySocket) this.#socket.retry();
  }

  #create(kind: ClientKind, url: string, protocols: string[]): AnySocket {
    const { WebSocket } = this.network;
    if (kind === "delivery") return new DeliverySocket(url, protocols, { WebSocket, ...waits });
    if (kind === "reconnecting") return new ReconnectingWebSocket(url, protocols, { WebSocket, ...waits });
    return new WebSocket(url, protocols);
  }

  #deliver(socket: DeliverySocket, text: string): void {
    this.#listener.line("sent", text);
    const tell = (fate: string): void => {
      if (fate !== "acknowledged") this.#listener.line("trouble", `“${text}” is ${fate}`);
    };
    void socket.deliver(text).then(tell);
  }

  /** Events of all three kinds: those that a socket does not have never come. */
  #listen(socket: AnySocket): void {
    const target: EventTarget = socket;
    socket.binaryType = "arraybuffer";
    const on = <E extends Event>(name: string, tell: (event: E) => void): void =>
      target.addEventListener(name, (event) => {
        if (this.#socket === socket) tell(event as E);
      });
    on<MessageEvent>("message", ({ data }) => this.#listener.line("received", message(data)));
    on("open", () => this.#open(socket));
    on<CloseEvent>("disconnect", ({ code, reason }) => this.#lost("disconnected", code, reason));
    on("retry", () => this.#listener.status("waiting"));
    on<CloseEvent>("close", ({ code, reason }) => this.#closed(code, reason));
    on<Event & { readonly error?: unknown }>("error", ({ error }) =>
      this.#listener.line("trouble", this.network.isCut ? "there is no network" : String(error ?? "the connection failed")),
    );
    on<Event & { readonly topic?: string; readonly why: string }>("gap", ({ topic, why }) =>
      this.#listener.line("trouble", `messages of ${topic ?? "its own"} are gone (${why})`),
    );
    on<Event & { readonly resumed: boolean }>("interrupted", ({ resumed }) =>
      this.#listener.line("event", resumed ? "interrupted: hooks were lost" : "interrupted: this is a new connection"),
    );
  }

  #open(socket: AnySocket): void {
    this.#listener.status("open");
    this.#listener.line("event", socket.protocol === "" ? "connected" : `connected (${socket.protocol})`);
  }

  #lost(what: string, code: number, reason: string): void {
    this.#listener.status("waiting");
    this.#listener.line("event", `${what}: ${code}${reason === "" ? "" : ` ${reason}`}`);
  }

  #closed(code: number, reason: string): void {
    this.#lost("closed", code, reason);
    this.#listener.status("closed");
    this.#socket = undefined;
  }

  /** The socket before is closed, and heard no more. */
  #leave(): void {
    const before = this.#socket;
    this.#socket = undefined;
    void before?.close(1000);
  }
}
