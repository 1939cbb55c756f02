/** A handshake as a page's or a program's would be, and what came of it. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

export interface Attempt {
  /** 101, or the refusal's. */
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly socket: WebSocket;
}

export async function attempt(
  port: number,
  path: string,
  { headers = {}, protocols = [] }: { headers?: Record<string, string>; protocols?: string[] } = {},
): Promise<Attempt> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
  return new Promise((resolve, reject) => {
    let upgrade: IncomingMessage | undefined;
    socket.once("upgrade", (response) => (upgrade = response));
    socket.once("open", () => resolve({ status: 101, headers: upgrade?.headers ?? {}, socket }));
    socket.once("unexpected-response", (_, response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, socket });
    });
    socket.once("error", reject);
  });
}

export async function ask(socket: WebSocket, text: string): Promise<string> {
  const heard = once(socket, "message") as Promise<[Buffer]>;
  socket.send(text);
  return String((await heard)[0]);
}

export async function closing(socket: WebSocket): Promise<string> {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return `${code} ${String(reason)}`;
}
