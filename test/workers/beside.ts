/** An object with sockets of the application's own beside ours, and one whose handler changes as by a deploy. */
import { defineHandler } from "edgewire";
import { durable, route } from "edgewire/durable";

export const log: string[] = [];
const roomOf = (request: Request): { room: string } => ({ room: new URL(request.url).pathname.split("/").at(-1) ?? "" });

const ours = defineHandler({
  binding: "BESIDE",
  upgrade: roomOf,
  message: (connection, data) => void connection.send(`ours ${String(data)}`),
  close: (connection, { code }) => void log.push(`ours closed ${connection.room.name} ${code}`),
});

type Native = Parameters<InstanceType<ReturnType<typeof durable>>["webSocketMessage"]>[0];

/** Sockets accepted under /own/ are the application's: it tells them by its own attachment. */
export class Beside extends durable(ours) {
  override async fetch(request: Request): Promise<Response> {
    if (!new URL(request.url).pathname.startsWith("/own/")) return super.fetch(request);
    const { 0: client, 1: server } = new WebSocketPair();
    const state = this.ctx as unknown as DurableObjectState;
    state.acceptWebSocket(server, ["own"]);
    server.serializeAttachment({ own: true });
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(ws: Native, data: string | ArrayBuffer): void | PromiseLike<void> {
    if (isOwn(ws)) (ws as unknown as WebSocket).send(`own ${String(data)}`);
    else return super.webSocketMessage(ws, data);
  }

  override webSocketClose(ws: Native, code: number, reason: string, wasClean: boolean): void | PromiseLike<void> {
    if (isOwn(ws)) {
      log.push(`own closed ${code}`);
      (ws as unknown as WebSocket).close(code, reason);
    } else return super.webSocketClose(ws, code, reason, wasClean);
  }
}

function isOwn(ws: Native): boolean {
  return (ws.deserializeAttachment() as { own?: boolean } | null)?.own === true;
}

/** Three versions of one handler: what a deploy replaces. */
const versions = {
  first: defineHandler({
    binding: "DEPLOYED",
    upgrade: (request) => ({ ...roomOf(request), state: "Ada Lovelace" }),
    message: (connection) => void connection.send(JSON.stringify(connection.state)),
  }),
  migrating: defineHandler<{ first: string; last: string }>({
    binding: "DEPLOYED",
    version: 1,
    migrate(state, version) {
      log.push(`migrate from ${version}`);
      const [first = "", last = ""] = String(state).split(" ");
      return { first, last };
    },
    message: (connection) => void connection.send(JSON.stringify(connection.state)),
  }),
  careless: defineHandler({
    binding: "DEPLOYED",
    version: 2,
    error: (error, { hook }) => void log.push(`${hook}: ${(error as Error).message}`),
    observe: { refused: ({ status, cause }) => void log.push(`refused ${status} ${cause}`) },
    close: (_, { code, initiator }) => void log.push(`closed ${code} ${initiator}`),
  }),
};

let deployed: keyof typeof versions = "first";

export function deploy(version: keyof typeof versions): void {
  deployed = version;
}

export const classes = { first: durable(versions.first), migrating: durable(versions.migrating), careless: durable(versions.careless) };
export const deployedClass = (): (typeof classes)["first"] => classes[deployed] as (typeof classes)["first"];
export const routes = { own: route(ours), deployed: route(versions.first) };
