/** An HTTP server of an application's own, with listeners beside Edgewire's, for test/node. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { dial, type Client } from "../support/client.ts";
import { encodeRequest, type HeaderList } from "../wire/http.ts";

const ending: (() => unknown)[] = [];

/** After each test. */
export async function endAll(): Promise<void> {
  for (const end of ending.splice(0).toReversed()) await end();
}

export function atEnd(end: () => unknown): void {
  ending.push(end);
}

export async function listen(server: Server = createServer()): Promise<{ server: Server; port: number }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** A handshake whose answer nobody has waited for yet. */
export async function ask(port: number, target: string, headers: HeaderList = [], tls = false): Promise<Client> {
  const client = await dial({ port, tls });
  atEnd(() => client.destroy());
  client.write(encodeRequest({ target, headers }, `127.0.0.1:${port}`));
  return client;
}

/** The status of the answer, and its body where it is no 101. */
export async function statusOf(port: number, target: string, headers?: HeaderList, tls?: boolean): Promise<string> {
  const client = await ask(port, target, headers, tls);
  const { status } = await client.head();
  return status === 101 ? "101" : `${status} ${(await client.body()).trim()}`;
}

export type Listener = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A WebSocketServer of ws, as an application uses one beside others: it greets, and echoes. */
export function otherServer(options: ConstructorParameters<typeof WebSocketServer>[0] = { noServer: true }): WebSocketServer {
  const other = new WebSocketServer(options);
  other.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("error", () => {});
    socket.send("theirs");
  });
  atEnd(() => {
    for (const socket of other.clients) socket.terminate();
  });
  return other;
}

/** Takes one path, at once or later. */
export function takes(path: string, later?: number, other: WebSocketServer = otherServer()): Listener {
  return (incoming, socket, head) => {
    if (incoming.url !== path) return;
    const take = (): void => other.handleUpgrade(incoming, socket, head, (one) => other.emit("connection", one, incoming));
    if (later === undefined) take();
    else setTimeout(take, later);
  };
}
