/** Between Node's HTTP messages of an `upgrade` event and the fetch API's. */
import { ServerResponse } from "node:http";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

/** The handshake as a Request, with repeated headers joined as the fetch API does (Node itself drops some of them). */
export function toRequest(incoming: IncomingMessage): Request {
  const headers = new Headers();
  const { rawHeaders, method = "GET" } = incoming;
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index] as string, rawHeaders[index + 1] as string);
  // CONNECT, TRACE and TRACK can't be in a Request; any method but GET is refused alike.
  return new Request(urlOf(incoming), { method: isForbidden(method) ? "POST" : method, headers });
}

function urlOf(incoming: IncomingMessage): URL {
  const { url = "/", headers, socket } = incoming;
  const scheme = (socket as TLSSocket).encrypted ? "https" : "http";
  const base = `${scheme}://${headers.host ?? "localhost"}`;
  // A path of two slashes is no authority: only an absolute-form target (RFC 9112 section 3.2.2) names a host.
  const parsed = URL.parse(url.startsWith("/") ? base + url : url) ?? new URL(`${scheme}://localhost/`);
  // No Request can have them; RFC 9110 section 4.2.4 deprecates them, and no other runtime shows them.
  parsed.username = "";
  parsed.password = "";
  return parsed;
}

function isForbidden(method: string): boolean {
  return method === "CONNECT" || method === "TRACE" || method === "TRACK";
}

export function addressOf(incoming: IncomingMessage): string {
  const address = incoming.socket.remoteAddress ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Answers an `upgrade` event with an ordinary response, then closes: Node has let go of the socket's HTTP. */
export function answer(incoming: IncomingMessage, socket: Duplex, response: Response): void {
  if (socket.destroyed) return;
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket as TLSSocket);
  // Nobody reads the socket any more: an unread byte would hide the client's FIN, and the descriptor would stay for good.
  socket.resume();
  // Ended, then given time to go: destroyed at once, with bytes unread, TCP is reset and the answer may be lost.
  outgoing.on("finish", () => {
    socket.end();
    (socket as TLSSocket).setTimeout(linger, () => socket.destroy());
  });
  write(outgoing, response);
}

/** Milliseconds of silence after which a refused client that keeps its end open is let go. */
const linger = 2000;

export function write(outgoing: ServerResponse, response: Response): void {
  outgoing.statusCode = response.status;
  if (response.statusText !== "") outgoing.statusMessage = response.statusText;
  outgoing.setHeaders(response.headers);
  if (response.body === null) outgoing.end();
  else
    Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
      .on("error", () => outgoing.destroy())
      .pipe(outgoing);
}
