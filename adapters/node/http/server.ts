/** Checks the server that is passed to `attach`: it must speak HTTP/1.1 and emit `upgrade`. */
import type * as Net from "node:net";
import { http } from "./request.ts";

/** An `http.Server` or `https.Server`, or an http2 server with `allowHTTP1`. */
export interface HttpServer {
  on(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  prependListener(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  off(event: "upgrade", listener: (...args: unknown[]) => void): unknown;
  listenerCount(event: "upgrade"): number;
}

/** For the reason not to import it, see `http` in request.ts. */
const net = process.getBuiltinModule("node:net") as typeof Net;

/** @throws TypeError that says what was given instead, and what to pass. */
export function checkServer(given: unknown): void {
  if (isHttp(given)) return;
  throw new TypeError(`attach takes an http.Server or https.Server first, not ${nameOf(given)} [EW616]`);
}

/**
 * Node's https and http2 servers don't inherit from http.Server, but have `headersTimeout`; http2 servers only with `allowHTTP1` (Node 24, Deno 2.9).
 */
function isHttp(given: unknown): boolean {
  if (given instanceof http.Server) return true;
  const { headersTimeout, prependListener, listenerCount } = membersOf(given);
  return typeof headersTimeout === "number" && typeof prependListener === "function" && typeof listenerCount === "function";
}

function nameOf(given: unknown): string {
  if (given === null || given === undefined) {
    return `${String(given)} (Vite's httpServer is null in middleware mode: give it the server that its middleware runs in)`;
  }
  if (typeof given !== "object" && typeof given !== "function") return `a ${typeof given}`;
  const { constructor, handleUpgrade, listen, server, on } = membersOf(given);
  const name = typeof constructor === "function" ? constructor.name : "";
  if (name.startsWith("Http2")) return "an http2 server without allowHTTP1: WebSockets need HTTP/1.1";
  if (given instanceof net.Server) return "a server of node:net or node:tls, which does not speak HTTP";
  if (typeof handleUpgrade === "function") return "a WebSocketServer of ws: give it the HTTP server under that";
  if (isHttp(server)) return "an application: give it its `server` (as Fastify's app.server)";
  if (typeof listen === "function")
    return "an application: give it the server that its listen() returns, or http.createServer(app) (Express, Koa)";
  return typeof on === "function"
    ? "an object that only has listeners"
    : `${typeof given === "function" ? "a function" : "an object"} without an upgrade event`;
}

function membersOf(given: unknown): Record<string, unknown> {
  return Object(given) as Record<string, unknown>;
}

/** @throws Error on Bun, which replaces `ws` with its own implementation, without receiver and stream (Bun 1.4.5: a TypeError after the 101). */
export function refuseBun(who: "attach" | "serve"): void {
  if (process.versions["bun"] === undefined) return;
  throw new Error(
    `${who} of "edgewire/node" does not work on Bun: use serve of "edgewire/serve", on a port of its own beside an Express or Fastify app, or with the option fetch for all other requests [EW617]`,
  );
}
