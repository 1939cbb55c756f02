/** Hono's helper: one app for every runtime, each with its own `upgradeWebSocket`. Hono has no topics, so the app implements them. */
import { Hono } from "hono";
import type { UpgradeWebSocket, WSContext } from "hono/ws";

/** A message as each runtime passes it. Hono's type includes SharedArrayBuffer, which never occurs. */
type Data = string | ArrayBuffer | Blob;

/** `blobs`: on workerd a binary message is a Blob (from compatibility date 2026-03-17 on), which must be read before it can be sent. */
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
    // On Bun each event has a new context; only the underlying socket is the same.
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
