/** Where a platform does not do what every server should, whatever a library does; each was seen on the bare runtime too. */
import type { ProcessRuntime } from "../runtimes.ts";
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
 * `request.signal` tells (adapters/deno.ts): not in a storm. workerd keeps both ends of an object's socket after a broken frame,
 * after our close of a client that had sent nothing, and of one that vanished, until the object is evicted (the evidence above).
 */
export function keptDescriptors(runtime: ProcessRuntime, plan: Plan): number {
  if (runtime === "deno") return plan.actions.every(({ type }) => type !== "accepted") ? 1 : 0;
  const left = plan.actions.some((action) => action.type === "ended" && isLimit(runtime, action.cause));
  return runtime === "durable" && (left || losesClose(runtime, plan)) ? 2 : 0;
}
