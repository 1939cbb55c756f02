/**
 * Writes a fetch API Response to Node's ServerResponse. Nothing here throws: a Response that Node can't send becomes a 500. The socket of a
 * refused handshake is closed within a limited time, whatever the client does.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { logError } from "../../../src/values/log.ts";
import { checkSendable } from "../../../src/protocol/sendable.ts";
import { http } from "./request.ts";
import { endSocket } from "./sockets.ts";
import { resumeReading } from "./pipelining.ts";
import { discard } from "./wait.ts";

/** Milliseconds that sending the answer to a handshake may take: the body may be slow or endless, or the client may not read it. */
const longestAnswer = 10_000;

/** Answers an `upgrade` event with an ordinary response, then closes the socket: Node no longer handles HTTP on it. */
export function answer(incoming: IncomingMessage, socket: Duplex, response: Response): void {
  if (socket.destroyed) return void discard(response);
  const outgoing = new http.ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  try {
    outgoing.assignSocket(socket as TLSSocket);
  } catch (error) {
    // Another `upgrade` listener is writing its own response.
    logError("a handshake could not be answered [EW614]", error);
    socket.destroy();
    return void discard(response);
  }
  const timer = setTimeout(() => socket.destroy(), longestAnswer);
  outgoing.on("finish", () => {
    clearTimeout(timer);
    endSocket(socket);
  });
  socket.once("close", () => clearTimeout(timer));
  resumeReading(socket);
  // Nobody else reads the socket: with an unread byte the client's FIN would go unnoticed, and the descriptor would leak.
  socket.resume();
  write(outgoing, response);
}

export function write(outgoing: ServerResponse, response: Response): void {
  // The client has left: the `close` event handles that.
  outgoing.on("error", ignore);
  send(outgoing, response)
    .catch((error: unknown) => fail(outgoing, error))
    .catch(() => destroyResponse(outgoing));
}

async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  checkSendable("the Response", response);
  outgoing.statusCode = response.status;
  if (response.statusText !== "") outgoing.statusMessage = response.statusText;
  outgoing.setHeaders(response.headers);
  if (response.body === null) return void outgoing.end();
  const reader = response.body.getReader();
  // If the client leaves, the body is canceled. It may have left already.
  const cancel = (): void => void reader.cancel().catch(ignore);
  if (outgoing.destroyed) return cancel();
  outgoing.once("close", cancel);
  const first = await reader.read();
  if (first.done) return void outgoing.end();
  const second = reader.read();
  // If it fails while the first chunk is written, the `await` below throws; this prevents an unhandled rejection meanwhile.
  second.catch(ignore);
  // Most bodies are a single chunk: Node then sends a Content-Length.
  if ((await Promise.race([second, turn()]))?.done === true) return void outgoing.end(first.value);
  await writeChunk(outgoing, first.value);
  for (let chunk = await second; !chunk.done; chunk = await reader.read()) await writeChunk(outgoing, chunk.value);
  outgoing.end();
}

/** Waits if the client is slow to read. */
async function writeChunk(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (outgoing.write(chunk) || outgoing.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("close", done);
  });
}

/** Usually the application's mistake, so the client gets no details; they are logged. */
function fail(outgoing: ServerResponse, error: unknown): void {
  if (outgoing.destroyed) return;
  logError("a Response could not be sent [EW615]", error);
  if (outgoing.headersSent) return destroyResponse(outgoing);
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name);
  outgoing.statusCode = 500;
  outgoing.statusMessage = "";
  outgoing.setHeader("content-type", "text/plain; charset=utf-8");
  outgoing.end("Internal Server Error\n");
}

/**
 * Ends the connection, so that the client does not take a truncated answer for a complete one. If earlier answers are still to be written, it
 * ends after them: `destroy` alone would wait for an event that no ServerResponse emits (Node 24.21, lib/_http_server.js).
 */
export function destroyResponse(outgoing: ServerResponse): void {
  if (outgoing.socket === null) {
    outgoing.assignSocket = (socket) => {
      http.ServerResponse.prototype.assignSocket.call(outgoing, socket);
      socket.destroy();
    };
  }
  outgoing.destroy();
}

function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

function ignore(): void {}
