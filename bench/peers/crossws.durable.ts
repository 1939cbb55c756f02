/** crossws on a hibernating Durable Object, as in its guide for Cloudflare. */
import { DurableObject } from "cloudflare:workers";
import type { Peer } from "crossws";
import crossws from "crossws/adapters/cloudflare";
import { options } from "./crossws.hooks.ts";

declare const MODE: string;
const { hooks, ...others } = options(MODE);
// crossws does not answer a client's close here, and the client would wait for ten seconds, so the application answers.
const answering = { ...hooks, close: (peer: Peer) => peer.close(1000) };
const ws = crossws({ ...others, hooks: answering, bindingName: "ROOM", instanceName: "room" });
type Arguments = Parameters<typeof ws.handleUpgrade>;
type Self = Parameters<typeof ws.handleDurableMessage>[0];
type Socket = Parameters<typeof ws.handleDurableMessage>[1];

export class Room extends DurableObject {
  fetch(request: Request): Promise<unknown> {
    return ws.handleDurableUpgrade(this.self, request as Parameters<typeof ws.handleDurableUpgrade>[1]);
  }

  webSocketMessage(socket: Socket, message: string | ArrayBuffer): Promise<void> {
    return ws.handleDurableMessage(this.self, socket, message);
  }

  webSocketClose(socket: Socket, code: number, reason: string, clean: boolean): Promise<void> {
    return ws.handleDurableClose(this.self, socket, code, reason, clean);
  }

  private get self(): Self {
    return this as unknown as Self;
  }
}

export default { fetch: (...all: Arguments): ReturnType<typeof ws.handleUpgrade> => ws.handleUpgrade(...all) };
