/** A WebSocket client inside workerd. */
import { exports } from "cloudflare:workers";

export interface Client {
  readonly socket: WebSocket;
  /** Resolves to the next message, text or bytes, in order of arrival. */
  next(): Promise<unknown>;
  /** Sends, and resolves to the next message. */
  ask(text: string): Promise<unknown>;
  readonly closed: Promise<CloseEvent>;
}

export async function connect(room: string): Promise<Client> {
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const response = await exports.default.fetch(`http://localhost/${room}`, { headers });
  const { webSocket: socket, status } = response;
  if (!socket) {
    // An answer that nobody reads keeps its object awake.
    await response.text();
    throw new Error(`refused with ${status}`);
  }
  const arrived: unknown[] = [];
  const waiting: ((data: unknown) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const first = waiting.shift();
    if (first === undefined) arrived.push(data);
    else first(data);
  });
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.accept();
  const next = (): Promise<unknown> =>
    arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise((resolve) => waiting.push(resolve));
  const ask = (text: string): Promise<unknown> => {
    socket.send(text);
    return next();
  };
  return { socket, next, ask, closed };
}
