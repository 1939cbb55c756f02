/** A Durable Object with hibernating sockets. All sockets but the publisher are subscribers; the attachment says which is which. */
import { DurableObject } from "cloudflare:workers";

interface Socket {
  send(data: string | ArrayBuffer): void;
  close(code: number): void;
  serializeAttachment(value: unknown): void;
}
interface State {
  acceptWebSocket(ws: Socket, tags?: string[]): void;
  getWebSockets(tag?: string): Socket[];
}
interface Env {
  readonly MODE: string;
  readonly ROOM: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } };
}
declare const WebSocketPair: new () => [Socket, Socket];

export class Room extends DurableObject {
  declare ctx: State;
  declare env: Env;
  /** Subscribers, also kept in memory, as one would write it for frequent broadcasts. */
  #subscribers: Socket[] | undefined;

  fetch(request: Request): Response {
    const [client, server] = Object.values(new WebSocketPair()) as [Socket, Socket];
    const publisher = request.url.endsWith("/pub");
    this.ctx.acceptWebSocket(server, publisher ? [] : ["t"]);
    this.#subscribers = undefined;
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  webSocketMessage(ws: Socket, data: string | ArrayBuffer): void {
    if (this.env.MODE !== "fanout") return ws.send(data);
    for (const subscriber of (this.#subscribers ??= this.ctx.getWebSockets("t"))) subscriber.send(data);
  }

  webSocketClose(ws: Socket): void {
    this.#subscribers = undefined;
    ws.close(1000);
  }
}

export default {
  fetch: (request: Request, env: Env) => env.ROOM.get(env.ROOM.idFromName("room")).fetch(request),
};
