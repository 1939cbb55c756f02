/** Where a platform does not do what every server should, whatever a library does; each was seen on the bare runtime too. */
import type { ProcessRuntime, Served } from "../support/runtimes.ts";
import type { Cause, Plan } from "./plan.ts";

export interface Limit {
  readonly runtimes: readonly ProcessRuntime[];
  /** After these the server leaves TCP open: the client has to end it. */
  readonly causes: readonly Cause[];
  readonly why: string;
  readonly evidence: string;
}

export const limits: readonly Limit[] = [
  {
    runtimes: ["deno", "workers", "durable"],
    causes: ["unmasked frame"],
    why: "Deno and workerd take unmasked frames from a client (RFC 6455 section 5.1 says to close).",
    evidence: "Deno 2.9.5, workerd 2026-10: the bytes 81 01 78 are answered by an echo: 81 01 78.",
  },
  {
    runtimes: ["deno"],
    causes: ["long control frame"],
    why: "Deno takes a pong of more than 125 bytes (RFC 6455 section 5.5); after such a ping it reads no further, and ends nothing.",
    evidence:
      "Deno 2.9.5: 8a fe 00 80 and 128 masked bytes, then a message: it is echoed. 89 fe 00 7e and 126 bytes, then a message: nothing comes.",
  },
  {
    runtimes: ["workers", "durable"],
    causes: ["long control frame", "text that is no UTF-8"],
    why: "workerd takes control frames of more than 125 bytes, and text that is no UTF-8 (the handler gets U+FFFD).",
    evidence: "workerd 2026-10: a ping of 126 bytes is answered by a pong of 126; the text ff is echoed as ef bf bd.",
  },
  {
    runtimes: ["durable"],
    causes: [
      "reserved bits",
      "reserved opcode",
      "fragmented control frame",
      "continuation of nothing",
      "message inside a message",
      "length over 2^63",
      "length over every limit",
      "FIN after a broken frame",
      // Spoilt, it may still be valid; its rest is read as frames.
      "FIN after a spoilt handshake",
    ],
    why: "After a broken frame a hibernatable socket's client gets 1002 or 1009, and TCP stays open, even for a client that answers or sends FIN.",
    evidence:
      "workerd 2026-10, a bare Durable Object: opcode 6 gets 1002, `webSocketError` is called, `ws.close()` in it sends and ends nothing; " +
      "20 clients that send opcode 6 and FIN leave 40 descriptors until the object is evicted.",
  },
  {
    runtimes: ["durable"],
    causes: ["hook's end before the first message", "FIN after a hook's end"],
    why: "When an object closes a socket on which no message has come yet, the closing handshake is done but TCP stays open.",
    evidence:
      "workerd 2026-10, a bare Durable Object: close(4000) in fetch, or 300 ms later: close frame, answer, webSocketClose, no FIN; after one message: FIN.",
  },
  {
    runtimes: ["deno", "durable"],
    causes: ["unanswered close"],
    why: "Neither Deno nor a Durable Object can cut the TCP connection of a client that never answers a close.",
    evidence: "Deno's WebSocket has no terminate; Cloudflare documentation, WebSocket Hibernation API: ctx.abort() ends the whole object.",
  },
  {
    runtimes: ["deno"],
    causes: ["FIN while upgrade is pending"],
    why: "Deno forgets a client that half-closes before the 101: it gets no response, and TCP stays open.",
    evidence: "Deno 2.9.5, a bare Deno.serve that awaits 50 ms before upgradeWebSocket: request and FIN get 0 bytes and no FIN.",
  },
];

export function isLimit(runtime: ProcessRuntime, cause: Cause): boolean {
  return limits.some((limit) => limit.runtimes.includes(runtime) && limit.causes.includes(cause));
}

/**
 * A Durable Object is never told of two kinds of clients that vanish (cloudflare/workerd#1187); only a clock finds those, which is
 * liveness's. workerd 2026-10, a bare Worker and object, 600 clients of each kind: of those that reset before they have read the 101,
 * 1113 of 1130 that were opened (a plain Worker is told of all of them, an object of all that send FIN instead); of those that send a
 * ping and opcode 6 and reset, 311 of 600 (any two of the three: none). Nothing tells the two halves of such a socket from a good one's.
 */
export function losesClose(runtime: ProcessRuntime, plan: Plan): boolean {
  const read101 = plan.actions.some(({ type }) => type === "accepted");
  return runtime === "durable" && (plan.broken || !read101);
}

/**
 * How many descriptors a platform may keep of a client that has gone. Deno keeps that of one that is upgraded although it has reset, for good
 * (2.9.5, a bare Deno.serve that upgrades at once: 1000 clients that reset after their request, 1000 descriptors more, no event at the WebSocket,
 * and its close() changes nothing; of 1000 that send FIN none). Where the event loop had time to read the reset, as while an `upgrade` hook waits,
 * `request.signal` tells (adapters/deno/index.ts): not in a storm. workerd keeps both ends of an object's socket after a broken frame,
 * after our close of a client that had sent nothing, and of one that vanished, until the object is evicted (the evidence above).
 */
export function keptDescriptors(runtime: ProcessRuntime, plan: Plan): number {
  if (runtime === "deno") return plan.actions.every(({ type }) => type !== "accepted") ? 1 : 0;
  const left = plan.actions.some((action) => action.type === "ended" && isLimit(runtime, action.cause));
  return runtime === "durable" && (left || losesClose(runtime, plan)) ? 2 : 0;
}

/** What a platform does on a connection with several requests, and with what an application should not answer, whatever a library does. */
export interface PipelineLimit {
  readonly runtimes: readonly Served[];
  readonly why: string;
  readonly evidence: string;
}

const onNode = ["node", "attached", "hono"] as const;
const onCloudflare = ["workers", "durable"] as const;

export const pipelineLimits = {
  complainsFirst: {
    runtimes: onNode,
    why: "Node answers what it can't read at once, with 400, 408 or 431, in place of the answers that it still owes. What follows a request with Connection: close is such, and CONNECT ends the connection.",
    evidence:
      "Node 24.21, a bare http.Server that answers after 300 ms: `GET / … Connection: close`, 20 ms later another GET: one 400, and FIN.",
  },
  complainsTwice: {
    runtimes: onNode,
    why: "Node sends a second answer, 400, to a request that it has answered, when its body breaks off.",
    evidence: "Node 24.21, bare: a POST with half of its body is answered 200; FIN then gets `HTTP/1.1 400 Bad Request` and FIN.",
  },
  continuesLate: {
    runtimes: [...onNode, "deno"],
    why: "Node sends the 100 of a request that is behind a pending answer in the midst of its own answer, between the head and the body; Deno in the midst of the answer before it, when the client sends FIN.",
    evidence:
      "Node 24.21, bare, GET that takes 300 ms and POST with Expect: 100-continue in one segment, answered with a Buffer: `Content-Length: 8\\r\\n\\r\\nHTTP/1.1 100 Continue\\r\\n\\r\\n/b POST`. " +
      "Deno 2.9.6, bare, GET that is answered in chunks for 100 ms, the same POST, and FIN 40 ms later: `4\\r\\npart\\r\\nHTTP/1.1 100 Continue\\r\\n\\r\\n`, FIN.",
  },
  losesBehindUpgrade: {
    runtimes: onNode,
    why: "Node reads nothing of what comes in one segment with a request for another protocol that it answers as an ordinary one.",
    evidence:
      "Node 24.21, bare, with and without shouldUpgradeCallback: `Upgrade: h2c`, and a GET right behind: one answer; 100 ms later: two.",
  },
  pausesTls: {
    runtimes: ["node", "hono"],
    why: "Node's https stops for good, or fails with HPE_PAUSED, at what comes behind an answer that is too large for the socket's buffer: it pauses its parser, and the TLS socket goes on.",
    evidence:
      "Node 24.21, a bare https.Server, 48 clients: GET of 4 MB that is not read for 200 ms, 30 ms later a POST in three pieces and a GET: 32 get no third answer. A bare http.Server: none.",
  },
  dropsPipelined: {
    runtimes: ["bun"],
    why: "Bun ends a connection on which anything comes while an answer is pending, without that answer. If the answer is a 101 that comes soon enough, what came is lost instead.",
    evidence:
      "Bun 1.4.5, bare: GET that takes 100 ms, 20 ms later another GET: no byte, and FIN. A handshake that is accepted after 9 ms, 3 ms later all but the last byte of another, 25 ms later that byte: 101, and 200 of 200 connections stay open.",
  },
  interrupts: {
    runtimes: ["bun"],
    why: "Bun sends its 400 for what it can't read in the midst of the answer that it is sending.",
    evidence:
      "Bun 1.4.5, bare, a stream, then `nonsense`: `HTTP/1.1 200 OK\\r\\nHTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\n\\r\\n`.",
  },
  noTrailers: {
    runtimes: ["bun"],
    why: "Bun takes the trailers of a chunked body for the next request.",
    evidence: "Bun 1.4.5, bare: a POST that ends with `0\\r\\nX-Trailer: 1\\r\\n\\r\\n` gets 200, then 400.",
  },
  ignoresClose: {
    runtimes: ["deno", ...onCloudflare],
    why: "Deno sends an application's header Connection: close and goes on; workerd drops it.",
    evidence: "Deno 2.9.5, workerd 2026-10, bare: an answer with that header, and a GET right behind: both are answered.",
  },
  sendsAfterClose: {
    runtimes: onCloudflare,
    why: "workerd sends what `open` sends behind the close frame with which it has already ended a client that broke the protocol.",
    evidence:
      "workerd 2026-10, a bare Worker that accepts and sends `hello`: handshake and `POST / …` in one segment get 101, 1002, `hello`.",
  },
  endsForLate: {
    runtimes: ["bun", "deno"],
    why: "Where an app is served bare, and answers something else or throws once its handshake is accepted, Deno ends the listener, and Bun, for what is no Error, the process (docs/guide/runtimes/deno.md, docs/guide/runtimes/bun.md).",
    evidence:
      'Bun 1.4.5: `server.upgrade(request); throw "text"` in fetch: exit code 1. Deno 2.9.5: "Upgrade response was not returned from callback".',
  },
  waitsForFrame: {
    runtimes: onCloudflare,
    why: "workerd takes the first reserved bit, and with it the bytes of `GET` for a frame whose payload is to come.",
    evidence: "workerd 2026-10, a bare Worker: handshake and `GET /b HTTP/1.1` in one segment: 101, and nothing for 2 s.",
  },
} as const satisfies Record<string, PipelineLimit>;

export function hasLimit(name: keyof typeof pipelineLimits, runtime: Served): boolean {
  const { runtimes }: PipelineLimit = pipelineLimits[name];
  return runtimes.includes(runtime);
}
