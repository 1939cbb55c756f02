/** Hands an accepted handshake to `ws`, which sends the 101 and frames messages from then on. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { ServerOptions } from "ws";
import type { Server } from "../../../src/server/server.ts";
import type { AcceptedHandshake } from "../../shared/pending-upgrade.ts";
import { acceptableOffer } from "./deflate.ts";
import { openSocket } from "./events.ts";
import { Turn } from "./outbox.ts";
import { endSocket } from "../http/sockets.ts";
import { isTaken } from "../http/taken.ts";
import { OrderedWebSocket } from "./websocket.ts";
import { logError } from "../../../src/values/log.ts";

/** @param opening runs when the 101 is sent, before the connection opens: ws has listeners of its own by then. */
export function accept(ready: AcceptedHandshake, incoming: IncomingMessage, socket: Duplex, head: Buffer, opening: () => void): void {
  const native = wsServerOf(ready.server);
  native.upgrading = ready;
  let opened = false;
  try {
    native.wss.handleUpgrade(checked(ready, incoming), socket, head, (ws) => {
      opened = true;
      opening();
      openSocket(ready, ws as OrderedWebSocket, socket, native.turn);
    });
    // ws answers nothing where the client has gone meanwhile.
    if (!opened) endSocket(socket);
  } catch (error) {
    logError("a handshake could not be completed", error);
    // ws throws for a socket that another listener has given it: that one goes on with it.
    if (!isTaken(socket)) socket.destroy();
  }
  native.upgrading = undefined;
  ready.server.abandon(ready);
}

/**
 * The request as ws sees it. ws checks again what the core has checked, by stricter rules (no list in Upgrade, no white space but space and
 * tab), and would answer 400 to a client that `upgrade` has accepted.
 */
function checked({ server, snapshot: { protocol } }: AcceptedHandshake, { headers }: IncomingMessage): IncomingMessage {
  const offer = server.settings.compression ? acceptableOffer(headers["sec-websocket-extensions"]) : undefined;
  const request = {
    method: "GET",
    headers: {
      upgrade: "websocket",
      "sec-websocket-key": headers["sec-websocket-key"],
      "sec-websocket-version": "13",
      ...(protocol === "" ? {} : { "sec-websocket-protocol": protocol }),
      ...(offer === undefined ? {} : { "sec-websocket-extensions": offer }),
    },
  };
  return request as IncomingMessage;
}

const wsServers = new WeakMap<Server, WsServer>();

interface WsServer {
  readonly wss: WebSocketServer;
  readonly turn: Turn;
  /** The handshake that `handleUpgrade` is called for: ws asks for its headers before it returns. */
  upgrading: AcceptedHandshake | undefined;
}

/** ws's own server, for the 101 and its limits: one a handler. */
function wsServerOf(server: Server): WsServer {
  const known = wsServers.get(server);
  if (known !== undefined) return known;
  const { maxPayload, compression, closeTimeout } = server.settings;
  // `closeTimeout`, of ws 8.19 and later, and `maxFragments` are not in its types.
  const options: ServerOptions & { readonly closeTimeout: number; readonly maxFragments: number } = {
    noServer: true,
    WebSocket: OrderedWebSocket,
    clientTracking: false,
    // ws itself terminates a client with many pings waiting for their pongs: openSocket answers them.
    autoPong: false,
    maxPayload,
    // Its own 16 384 are not enough for 64 KiB byte by byte.
    maxFragments: 65_536,
    perMessageDeflate: compression,
    // How long a client may keep TCP open after the close frames. Default of ws: 30 s.
    closeTimeout,
  };
  const wss = new WebSocketServer(options);
  wss.on("headers", (lines: string[]) => {
    for (const [name, value] of made.upgrading?.headers ?? []) lines.push(`${name}: ${value}`);
  });
  const made: WsServer = { wss, turn: new Turn(), upgrading: undefined };
  wsServers.set(server, made);
  return made;
}
