/** Passes an accepted handshake to `ws`, which sends the 101 and parses the frames from then on. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { ServerOptions } from "ws";
import { selectedProtocol } from "../../../src/server/runtime.ts";
import type { Server } from "../../../src/server/server.ts";
import type { Settings } from "../../../src/handler/settings.ts";
import type { AcceptedHandshake } from "../../shared/pending-upgrade.ts";
import { acceptableOffer } from "./deflate.ts";
import { openSocket } from "./events.ts";
import { FlushQueue } from "./outbox.ts";
import { endSocket } from "../http/sockets.ts";
import { isClaimed } from "../http/claim.ts";
import { OrderedWebSocket } from "./websocket.ts";
import { logError } from "../../../src/values/log.ts";

/** @param opening runs when the 101 is sent, before the connection opens: by then ws has added its own listeners. */
export function accept(accepted: AcceptedHandshake, incoming: IncomingMessage, socket: Duplex, head: Buffer, opening: () => void): void {
  const native = wsServerOf(accepted.server);
  native.upgrading = accepted;
  let opened = false;
  // The 101 goes with what is sent in this turn: a write costs as much as the rest of a small message.
  socket.cork();
  try {
    native.wss.handleUpgrade(checked(accepted, incoming), socket, head, (ws) => {
      opened = true;
      opening();
      openSocket(accepted, ws as OrderedWebSocket, socket, native.queue);
    });
    // ws does not answer if the client has left meanwhile.
    if (!opened) endSocket(socket);
  } catch (error) {
    logError("a handshake could not be completed [EW624]", error);
    // ws throws if another listener has already passed it this socket: leave the socket to that listener.
    if (!isClaimed(socket)) socket.destroy();
  }
  native.upgrading = undefined;
  accepted.server.abandon(accepted);
  // After the queue, which writes at the end of the turn.
  process.nextTick(uncork, socket);
}

function uncork(socket: Duplex): void {
  socket.uncork();
}

/**
 * The request as passed to ws. ws repeats the core's checks with stricter rules (no list in Upgrade, no white space but space and tab). It would
 * answer 400 to a client that `upgrade` has accepted.
 */
function checked(accepted: AcceptedHandshake, { headers }: IncomingMessage): IncomingMessage {
  const { server } = accepted;
  const protocol = selectedProtocol(accepted);
  const offer = server.settings.compression ? acceptableOffer(headers["sec-websocket-extensions"]) : undefined;
  const passed: IncomingMessage["headers"] = {
    upgrade: "websocket",
    "sec-websocket-key": headers["sec-websocket-key"],
    "sec-websocket-version": "13",
  };
  if (protocol !== "") passed["sec-websocket-protocol"] = protocol;
  if (offer !== undefined) passed["sec-websocket-extensions"] = offer;
  return { method: "GET", headers: passed } as IncomingMessage;
}

/** Bytes that a frame of delivery may take beside its payload: the core checks the payload. */
function frameHeader({ delivery }: Settings): number {
  return delivery === undefined ? 0 : 32;
}

const wsServers = new WeakMap<Server, WsServer>();

interface WsServer {
  readonly wss: WebSocketServer;
  readonly queue: FlushQueue;
  /** The handshake during `handleUpgrade`, which emits `headers` before it returns. */
  upgrading: AcceptedHandshake | undefined;
}

/** One WebSocketServer of ws for each handler: it sends the 101 and applies the limits. */
function wsServerOf(server: Server): WsServer {
  const known = wsServers.get(server);
  if (known !== undefined) return known;
  const { settings } = server;
  const { maxPayload, compression, closeTimeout } = settings;
  // The types of ws lack `closeTimeout` (ws 8.19 and later) and `maxFragments`.
  const options: ServerOptions & { readonly closeTimeout: number; readonly maxFragments: number } = {
    noServer: true,
    WebSocket: OrderedWebSocket,
    clientTracking: false,
    // With autoPong, ws terminates a client that has many unanswered pings; `openSocket` answers them.
    autoPong: false,
    maxPayload: maxPayload + frameHeader(settings),
    // The default of ws, 16 384, is too low for a 64 KiB message sent in fragments of one byte.
    maxFragments: 65_536,
    perMessageDeflate: compression,
    // Milliseconds that a client may keep TCP open after the close frames. Default of ws: 30 s.
    closeTimeout,
  };
  const wss = new WebSocketServer(options);
  wss.on("headers", (lines: string[]) => {
    for (const [name, value] of created.upgrading?.headers ?? []) lines.push(`${name}: ${value}`);
  });
  const created: WsServer = { wss, queue: new FlushQueue(), upgrading: undefined };
  wsServers.set(server, created);
  return created;
}
