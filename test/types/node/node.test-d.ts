/** Node's own servers are what `attach` takes, and what an app is given is Node's Request. */
import { createServer } from "node:http";
import { createSecureServer as createHttp2Server } from "node:http2";
import { createServer as createSecureServer } from "node:https";
import { defineHandler } from "edgewire";
import { defineMessages, messageClient } from "edgewire/messages";
import { attach, serve } from "edgewire/node";
import { serve as serveAnywhere } from "edgewire/serve";
import { expectTypeOf } from "vitest";
import { WebSocket as WsWebSocket } from "ws";

const echo = defineHandler({
  upgrade(request) {
    expectTypeOf(request).toEqualTypeOf<Request>();
    return { headers: new Headers({ "x-served-by": "node" }) };
  },
});

attach(createServer(), echo);
attach(createSecureServer(), echo, { path: "/ws" });
attach(createHttp2Server({ allowHTTP1: true }), echo, { path: "/chat/:room" });
attach(createServer(), { fetch: () => new Response("hello") });
// @ts-expect-error: a port is no server.
attach(3000, echo);
// @ts-expect-error: a handler that defineHandler has not checked.
attach(createServer(), { message() {} });

expectTypeOf(serve).toEqualTypeOf(serveAnywhere);
void serve(echo, { port: 0, fetch: async (request) => new Response(request.url), tls: { cert: "", key: "" } });
void serve({ fetch: () => new Response("hello"), hostname: "::1" });
// @ts-expect-error: neither a handler nor an app.
void serve({ port: 0 });
// @ts-expect-error: half of a certificate.
void serve(echo, { tls: { cert: "" } });

const ticks = defineMessages({});
messageClient(ticks, new WebSocket("ws://localhost/", ticks.protocols));
messageClient(ticks, new WsWebSocket("ws://localhost/", ticks.protocols));
