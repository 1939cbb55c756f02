/**
 * What the battery's clients meet: a WebSocket server on Node (Bun's closes are unclean to Firefox) that does for each connection what
 * the client's address asks for, and tells what it saw.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { pingText, pongText } from "../../../src/protocol/text-ping.ts";
import type { Connection, Plan, Step } from "./kit.ts";

export class BatteryServer {
  #http: Server;
  #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false });
  /** By the client's id. */
  #seen = new Map<string, Connection[]>();
  #attempts = new Map<string, number>();
  #connections = new Set<Socket>();

  /** `page`: what a browser is shown. */
  static async start(page: string): Promise<BatteryServer> {
    const server = new BatteryServer(page);
    // Not on one address: see the plan that hangs.
    server.#http.listen(0, "0.0.0.0");
    await once(server.#http, "listening");
    return server;
  }

  private constructor(page: string) {
    this.#http = createServer((request, response) => {
      const id = request.url?.match(/^\/seen\/(.+)/)?.[1];
      if (id === undefined) response.setHeader("content-type", "text/html; charset=utf-8").end(page);
      else response.end(JSON.stringify(this.#seen.get(id) ?? []));
    });
    this.#http.on("connection", (socket) => {
      this.#connections.add(socket);
      socket.on("close", () => this.#connections.delete(socket));
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get address(): string {
    return `127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    for (const socket of this.#connections) socket.destroy();
    await once(this.#http, "close");
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? "", "http://server");
    const id = url.pathname.slice(1);
    const plans = JSON.parse(url.searchParams.get("plan") ?? "[{}]") as Plan[];
    const attempt = this.#attempts.get(id) ?? 0;
    this.#attempts.set(id, attempt + 1);
    const plan = plans[Math.min(attempt, plans.length - 1)] ?? {};
    // A client that goes is what this is for.
    socket.on("error", () => {});
    if (plan.hang) return;
    if (plan.refuse !== undefined) return void socket.end(`HTTP/1.1 ${plan.refuse} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    this.#sockets.options.handleProtocols = () => plan.protocol ?? false;
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#open(id, plan, opened));
  }

  #open(id: string, plan: Plan, socket: WebSocket): void {
    const connection: Connection = { received: [] };
    this.#seen.set(id, [...(this.#seen.get(id) ?? []), connection]);
    socket.on("error", (error) => (connection.error = error.message));
    socket.on("close", (code, reason) => (connection.closed = [code, String(reason)]));
    socket.on("message", (data, binary) => {
      const bytes = data as Buffer;
      const text = String(bytes);
      if (text === pingText) return plan.mute ? undefined : socket.send(pongText);
      if (text.startsWith("!")) return void this.#run(socket, JSON.parse(text.slice(1)) as Step);
      connection.received.push(binary ? [...bytes] : text);
      if (plan.echo) socket.send(bytes, { binary });
    });
    for (const step of plan.steps ?? []) this.#run(socket, step);
  }

  #run(socket: WebSocket, step: Step): void {
    const [kind] = step;
    if (kind === "send") socket.send(step[1]);
    else if (kind === "bytes") socket.send(Uint8Array.from(step[1]));
    else if (kind === "close") socket.close(step[1], step[2]);
    else if (kind === "deaf") socket.pause();
    else socket.terminate();
  }
}
