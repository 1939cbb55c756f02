/**
 * The Worker of run.ts: an Edgewire object, and a bare one that reads the same attachments when it wakes. The clients' ends of the sockets are held
 * by another object, so the number of connections is not limited by descriptors.
 */
import { DurableObject } from "cloudflare:workers";
import { defineHandler } from "edgewire";
import { durable, rooms, route } from "edgewire/durable";

const handler = defineHandler({
  binding: "OURS",
  upgrade(request) {
    const member = new URL(request.url).searchParams.get("member");
    return { room: "room", state: { name: `Member ${member}`, color: "#3f8a2c", since: 1_760_000_000_000 } };
  },
  open(connection) {
    connection.subscribe("chat");
    connection.subscribe("presence");
  },
});

export class Ours extends durable(handler) {
  /** The attachment of the bare object. */
  attachments(): unknown[] {
    const ctx = this.ctx as unknown as DurableObjectState;
    return ctx.getWebSockets().map((ws) => ws.deserializeAttachment() as unknown);
  }
}

/** As in Cloudflare's documentation of hibernation: the constructor reads every attachment. */
export class Bare extends DurableObject<Env> {
  readonly #sessions = new Map<WebSocket, unknown>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    for (const ws of ctx.getWebSockets()) this.#sessions.set(ws, ws.deserializeAttachment());
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#sessions.set(server, undefined);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Gives its sockets the attachments of as many Edgewire sockets. */
  async copy(): Promise<void> {
    const attachments = await this.env.OURS.getByName("room").attachments();
    for (const [index, ws] of [...this.#sessions.keys()].entries()) ws.serializeAttachment(attachments[index]);
  }

  count(): number {
    return this.#sessions.size;
  }
}

/** Holds the clients' ends. */
export class Crowd extends DurableObject<Env> {
  readonly #sockets: WebSocket[] = [];

  async join(kind: "ours" | "bare", from: number, to: number): Promise<void> {
    for (let member = from; member < to; member++) {
      const request = new Request(`https://chat.example/rooms/room?member=${member}`, { headers: handshake });
      const response = await (kind === "ours"
        ? routed.fetch(request as never, this.env, this.ctx as never)
        : this.env.BARE.getByName("room").fetch(request));
      const socket = (response as Response).webSocket;
      if (socket === null) throw new Error(`member ${member} got ${response.status}: ${await response.text()}`);
      socket.accept();
      this.#sockets.push(socket);
    }
  }
}

const routed = route(handler);
const handshake = {
  host: "chat.example",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

interface Env {
  readonly OURS: DurableObjectNamespace<Ours>;
  readonly BARE: DurableObjectNamespace<Bare>;
  readonly CROWD: DurableObjectNamespace<Crowd>;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const kind = searchParams.get("kind") === "ours" ? "ours" : "bare";
    if (pathname === "/join") {
      await env.CROWD.getByName(kind).join(kind, Number(searchParams.get("from")), Number(searchParams.get("to")));
      return new Response("joined");
    }
    if (pathname === "/copy") {
      await env.BARE.getByName("room").copy();
      return new Response("copied");
    }
    // The smallest request that needs all connections.
    const count = kind === "ours" ? await rooms(env.OURS).room("room").count("chat") : await env.BARE.getByName("room").count();
    return new Response(String(count));
  },
};
