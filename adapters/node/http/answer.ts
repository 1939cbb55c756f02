/**
 * Writes the fetch API's Response as one of Node's. Nothing here throws: a Response that Node can't send becomes a 500, and no client
 * keeps the socket of a refused handshake for longer than it takes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { logError } from "../../../src/values/log.ts";
import { checkSendable } from "../../../src/protocol/sendable.ts";
import { http } from "./request.ts";
import { endSocket } from "./sockets.ts";
import { readOn } from "./turn.ts";
import { discard } from "./wait.ts";

/** Milliseconds that the answer to a handshake may take: a body may be slow or endless, and a client may not read it. */
const longestAnswer = 10_000;

/** Answers an `upgrade` event with an ordinary response, then closes: Node has let go of the socket's HTTP. */
export function answer(incoming: IncomingMessage, socket: Duplex, response: Response): void {
  if (socket.destroyed) return void discard(response);
  const outgoing = new http.ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  try {
    outgoing.assignSocket(socket as TLSSocket);
  } catch (error) {
    // Another `upgrade` listener is writing a response of its own.
    logError("a handshake could not be answered", error);
    socket.destroy();
    return void discard(response);
  }
  const timer = setTimeout(() => socket.destroy(), longestAnswer);
  outgoing.on("finish", () => {
    clearTimeout(timer);
    endSocket(socket);
  });
  socket.once("close", () => clearTimeout(timer));
  readOn(socket);
  // Nobody reads the socket any more: an unread byte would hide the client's FIN, and the descriptor would stay for good.
  socket.resume();
  write(outgoing, response);
}

export function write(outgoing: ServerResponse, response: Response): void {
  // Of a client that has gone: `close` says it.
  outgoing.on("error", ignore);
  send(outgoing, response)
    .catch((error: unknown) => fail(outgoing, error))
    .catch(() => cut(outgoing));
}

async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  checkSendable("the Response", response);
  outgoing.statusCode = response.status;
  if (response.statusText !== "") outgoing.statusMessage = response.statusText;
  outgoing.setHeaders(response.headers);
  if (response.body === null) return void outgoing.end();
  const reader = response.body.getReader();
  // A client that has gone cancels the body, which then is at its end. It may have gone before there was one.
  const cancel = (): void => void reader.cancel().catch(ignore);
  if (outgoing.destroyed) return cancel();
  outgoing.once("close", cancel);
  const first = await reader.read();
  if (first.done) return void outgoing.end();
  const second = reader.read();
  // Whoever waits for it below is told of it, if it fails while the first chunk is written.
  second.catch(ignore);
  // Most bodies are a single chunk: Node then says how long it is.
  if ((await Promise.race([second, turn()]))?.done === true) return void outgoing.end(first.value);
  await writeChunk(outgoing, first.value);
  for (let chunk = await second; !chunk.done; chunk = await reader.read()) await writeChunk(outgoing, chunk.value);
  outgoing.end();
}

/** Waits where the client is slow to read. */
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

/** The application's mistake, most often: the log has it, the client does not. */
function fail(outgoing: ServerResponse, error: unknown): void {
  if (outgoing.destroyed) return;
  logError("a Response could not be sent", error);
  if (outgoing.headersSent) return cut(outgoing);
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name);
  outgoing.statusCode = 500;
  outgoing.statusMessage = "";
  outgoing.setHeader("content-type", "text/plain; charset=utf-8");
  outgoing.end("Internal Server Error\n");
}

/**
 * Ends the connection, for the client must not take the answer for a whole one. If earlier answers are still to be written, that is once they
 * are: `destroy` alone would wait for an event that no ServerResponse emits, and nobody would ever end it (Node 24.21, lib/_http_server.js).
 */
export function cut(outgoing: ServerResponse): void {
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
