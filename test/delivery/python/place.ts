/** A server of sessions in this process, over `ws`: one topic, which every message is published to. Each is answered to its sender. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { parseClientFrame } from "../../../src/delivery/frames.ts";
import { OwnLog } from "../../../src/delivery/server/own-log.ts";
import { Session } from "../../../src/delivery/server/session.ts";
import { readResume, type Resume } from "../../../src/protocol/delivery.ts";
import { pingText, pongText } from "../../../src/protocol/text-ping.ts";
import type { Data } from "../../../src/api/connection.ts";
import { SimulatedLog, tellOf } from "../log.ts";

interface Served {
  readonly name: string;
  readonly session: Session;
  socket: WebSocket | undefined;
}

const limits = { window: 2000, ownLog: { messages: 256, bytes: 262_144 }, maxInFlight: 8 };

export class Place {
  /** What the hook has had, in order. */
  readonly applied: Data[] = [];
  /** Subprotocols that were offered, by socket. */
  readonly offered: (readonly string[])[] = [];
  /** Codes with which sockets were closed. */
  readonly closed: number[] = [];
  /** Answers pings. */
  answers = true;
  readonly #log = new SimulatedLog("e1");
  readonly #sessions = new Map<string, Served>();
  readonly #server: WebSocketServer;
  #made = 0;

  /** @param selects the subprotocol, of those that are offered. */
  static async start(selects: (offered: readonly string[]) => string | false = ([first]) => first ?? false): Promise<Place> {
    const place = new Place(selects);
    await once(place.#server, "listening");
    return place;
  }

  private constructor(selects: (offered: readonly string[]) => string | false) {
    const handleProtocols = (offered: Set<string>): string | false => selects([...offered]);
    this.#server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols, perMessageDeflate: true });
    this.#server.on("connection", (socket, request) => this.#accept(socket, request));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The sockets that are open. */
  get sockets(): readonly WebSocket[] {
    return [...this.#server.clients];
  }

  get names(): readonly string[] {
    return [...this.#sessions.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/, */);
    this.offered.push(offered);
    const resume = readResume(offered.at(-1)!);
    const served = this.#served(socket, resume);
    socket.on("error", () => {});
    socket.on("message", (raw: Buffer, isBinary) => this.#take(served, socket, isBinary ? Uint8Array.from(raw) : String(raw)));
    socket.on("close", (code) => {
      this.closed.push(code);
      if (served.socket !== socket) return;
      served.socket = undefined;
      served.session.detach();
    });
  }

  #served(socket: WebSocket, resume: Resume | undefined): Served {
    const output = { send: (data: unknown) => socket.send(data as Data) };
    const known = this.#sessions.get(resume?.session ?? "");
    if (known !== undefined) {
      known.socket?.close(1008, "another connection has the session");
      known.socket = socket;
      known.session.detach();
      known.session.attach(output, { session: known.name, resumed: true, life: "1" }, resume);
      return known;
    }
    const name = `s${++this.#made}`;
    const served: Served = { name, session: new Session(name, limits, new OwnLog(`own${name}`, limits.ownLog)), socket };
    this.#sessions.set(name, served);
    served.session.attach(output, { session: name, resumed: false, life: "1" });
    served.session.begin({ topic: "chat", log: this.#log, number: 1 }, undefined);
    return served;
  }

  #take(served: Served, socket: WebSocket, data: Data): void {
    if (served.socket !== socket) return;
    if (data === pingText) return void (this.answers && socket.send(pongText));
    const frame = parseClientFrame(data);
    if (frame === undefined) return socket.close(1002);
    const { session } = served;
    if (frame.type === "message") return this.#message(session, socket, frame.number, frame.payload ?? "");
    if (frame.control.mark !== undefined && !session.returned(frame.control.mark)) socket.close(1002);
    if (frame.control.at !== undefined) session.missed(frame.control.at);
  }

  #message(session: Session, socket: WebSocket, number: number, payload: Data | undefined): void {
    const arrival = session.arrived(number);
    if (arrival === "wrong") return socket.close(1002);
    if (arrival === "next") {
      if (payload !== undefined) this.#apply(session, payload);
      session.acknowledge(number);
    }
    session.tell();
  }

  #apply(session: Session, payload: Data): void {
    this.applied.push(payload);
    if (typeof payload === "string") this.#publish(payload);
    session.send(typeof payload === "string" ? `answer ${payload}` : payload, `t${this.applied.length.toString(36)}`);
  }

  #publish(text: string): void {
    const entry = this.#log.append(text, `t${this.#log.head.toString(36)}`);
    for (const { session } of this.#sessions.values()) tellOf(session, [{ topic: "chat", number: 1, log: this.#log, entry }]);
  }
}
