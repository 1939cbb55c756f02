/** A Worker and its object that read, forward and store what the contract needs from each connection, without using it. */
import { DurableObject } from "cloudflare:workers";

interface Socket {
  send(data: string | ArrayBuffer): void;
  close(code: number, reason: string): void;
  serializeAttachment(value: unknown): void;
}
type Forwarded = readonly [declines: boolean, id: string, room: string, address: string];
interface Stub {
  fetch(request: Request, init: { cf: object }): Promise<Response>;
}
interface Env {
  readonly ROOM: { idFromName(name: string): unknown; get(id: unknown): Stub };
}
declare const WebSocketPair: new () => [Socket, Socket];

export class Room extends DurableObject {
  declare ctx: { acceptWebSocket(ws: Socket): void };

  fetch(request: Request): Response {
    const [declines, id, room, remoteAddress] = (request as unknown as { cf: { edgewire: Forwarded } }).cf.edgewire;
    const { url } = request;
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    // What would be lost on eviction.
    server.serializeAttachment([id, room, JSON.stringify({ url, remoteAddress }), Date.now()]);
    const headers: Record<string, string> = declines ? { "sec-websocket-extensions": "none" } : {};
    return new Response(null, { status: 101, headers, webSocket: client } as ResponseInit);
  }

  webSocketMessage(ws: Socket, data: string | ArrayBuffer): void {
    ws.send(data);
  }

  webSocketClose(ws: Socket, code: number, reason: string): void {
    ws.close(code, reason);
  }
}

let room: unknown;

export default {
  fetch(request: Request, { ROOM }: Env): Promise<Response> {
    room ??= ROOM.idFromName("room");
    const { url, method, headers } = request;
    const fields: string[] = [method, url];
    headers.forEach((value, name) => fields.push(name, value));
    const forwarded: Forwarded = [
      headers.has("sec-websocket-extensions"),
      crypto.randomUUID(),
      "room",
      headers.get("cf-connecting-ip") ?? "",
    ];
    return ROOM.get(room).fetch(request, { cf: { ...(request as { cf?: object }).cf, edgewire: forwarded } });
  },
};
