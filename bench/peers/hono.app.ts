/** Hono's helper: one app for every runtime, each with its own `upgradeWebSocket`. Topics are the application's business. */
import { Hono } from "hono";
import type { UpgradeWebSocket, WSContext } from "hono/ws";

/** As each runtime hands it over; what Hono types as a SharedArrayBuffer never is one. */
type Data = string | ArrayBuffer | Blob;

/** `blobs`: workerd, which hands a binary message over as a Blob (from compatibility date 2026-03-17 on), to be read before it can be sent. */
export function app(mode: string, upgradeWebSocket: UpgradeWebSocket, blobs = false): Hono {
  const hono = new Hono();
  const subscribers = new Map<unknown, WSContext>();
  const echo = upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => (blobs ? read(ws, data as Data) : send(ws, data as Data)) }));
  const publish = upgradeWebSocket(() => ({
    onMessage({ data }) {
      for (const subscriber of subscribers.values()) send(subscriber, data as Data);
    },
  }));
  const subscribe = upgradeWebSocket(() => ({
    // On Bun each event has a context of its own: what is the same is the socket below it.
    onOpen: (_, ws) => void subscribers.set(ws.raw, ws),
    onClose: (_, ws) => void subscribers.delete(ws.raw),
  }));
  if (mode === "fanout") hono.get("/pub", publish).get("/", subscribe);
  else hono.get("/", echo);
  return hono;
}

function send(ws: WSContext, data: Data): void {
  ws.send(data as string | ArrayBuffer);
}

function read(ws: WSContext, data: Data): void {
  if (data instanceof Blob) void data.arrayBuffer().then((bytes) => ws.send(bytes));
  else send(ws, data);
}
