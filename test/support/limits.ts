/**
 * What a platform can't do, whatever a library tries. A case under a limit still runs, and must fail as described by `shows`. If it passes, the
 * limit no longer applies, and the run reports that. Numbers are never reused (P9 and P18 turned out not to be limits).
 */
import type { Column } from "./case.ts";

export interface Limit {
  readonly columns: readonly Column[];
  /** The compatibility date from which the limit applies; before it the case must pass. */
  readonly since?: string;
  /** The compatibility date from which the limit no longer applies: from then on the case must pass. */
  readonly until?: string;
  /** The limit depends on a race inside the platform: a case may also pass. */
  readonly sometimes?: true;
  readonly why: string;
  /** A citation, and what was observed. */
  readonly evidence: string;
  /** The error of a case that meets the limit. */
  readonly shows: RegExp;
}

export const limits = {
  P1: {
    columns: ["memory"],
    why: "The in-process runtime has no bytes, no TCP and no HTTP, so a case can't write to or read from a wire.",
    evidence: "adapters/memory/index.ts; the case stops at its first raw byte.",
    shows: /memory has no wire/,
  },
  P2: {
    columns: ["workers"],
    why: "On a plain Worker a socket belongs to the request that accepted it, so no code can reach several sockets. Rooms and topics need a Durable Object, and the error says so.",
    evidence: 'h3js/crossws#61; workerd: "Cannot perform I/O on behalf of a different request".',
    shows: /edgewire\/durable|from outside got 404/,
  },
  P3: {
    columns: ["workers", "durable", "evicted"],
    why: "TLS ends at Cloudflare's edge; a Worker has no certificate of its own.",
    evidence: "Cloudflare documentation, SSL/TLS, edge certificates; the Worker sees the request after TLS.",
    shows: /there is no listener "(tls|tightTls)"/,
  },
  P4: {
    columns: ["bun"],
    why: "If `upgrade` awaits anything, Bun answers 400 to a client whose frames arrive together with the request. RFC 6455 section 4.1 forbids clients to send before the 101.",
    evidence:
      'Bun 1.4.5: one segment with the request and a frame gets "HTTP/1.1 400 Bad Request" as soon as the fetch handler returns a pending promise.',
    shows: /the handshake got 400|ended TCP/,
  },
  P5: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd answers only the first and the last of several pings that it reads at once (RFC 6455 section 5.5.3 allows answering only the latest).",
    evidence: "workerd 2026-10: ten pings in one segment get the pongs of the first and the tenth.",
    shows: /pong|Expected values/,
  },
  P6: {
    columns: ["workers", "durable", "evicted"],
    why: "A Worker gets the client's address from a header that Cloudflare's edge adds. Standalone workerd does not add it, so the address is \"\".",
    evidence: "Cloudflare documentation, HTTP headers, CF-Connecting-IP; bare workerd's request has no such header.",
    shows: /127\.0\.0\.1/,
  },
  P7: {
    columns: ["attached"],
    why: "Node emits its upgrade event, on which `attach` depends, only for requests with the token upgrade in Connection and an Upgrade header. The application itself must answer all others.",
    evidence: "Node documentation, http, Event: 'upgrade'; the application of this column answers 200.",
    shows: /200|undefined[^]*websocket/,
  },
  P8: {
    columns: ["deno", "durable", "evicted"],
    why: "Neither Deno nor a Durable Object can cut the TCP connection of a single socket. `terminate()` notifies the handler immediately, and the client gets a close frame, on Deno without a code.",
    evidence:
      "WHATWG WebSockets, the only API of Deno: only close() ends a connection; Deno 2.9.5: 88 00, then FIN. Cloudflare documentation, WebSocket Hibernation API: there is no terminate, and ctx.abort() ends the whole object.",
    shows: /close|an event/,
  },
  P10: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd removes Connection and Upgrade from every response other than a 101.",
    evidence:
      'workerd 2026-10: `new Response("x", { status: 426, headers: { upgrade: "websocket" } })` is sent as "HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: 1\\r\\nContent-Type: text/plain;charset=UTF-8".',
    shows: /undefined[^]*websocket/,
  },
  P11: {
    columns: ["workers"],
    why: "On a plain Worker each socket is alone in its request: its only peer is itself.",
    evidence: "h3js/crossws#61: a socket can't be touched by another request; `[...connection.peers()]` has one element.",
    shows: /deep-equal/,
  },
  P12: {
    columns: ["deno"],
    why: "Deno answers 400 to a request with both Connection: Upgrade and a Content-Length, before any handler gets it.",
    evidence:
      'Deno 2.9.5, bare Deno.serve whose handler answers everything: "HTTP/1.1 400 Bad Request\\r\\ncontent-length: 0\\r\\nconnection: close"; without Content-Length the handler is called.',
    shows: /400 !== 405/,
  },
  P13: {
    columns: ["deno"],
    why: "Deno answers a broken frame by ending TCP, without a close frame. The close hook gets the code that a close frame would have had.",
    evidence:
      'Deno 2.9.5, bare Deno.upgradeWebSocket: after c1 81 … (a reserved bit) the client reads only FIN; the error event says "Reserved bits are not zero", the close event has code 0.',
    shows: /type: 'end'/,
  },
  P14: {
    columns: ["deno", "workers", "durable", "evicted"],
    why: "Deno and workerd accept unmasked frames, and do not report them.",
    evidence: "Deno 2.9.5 and workerd 2026-10: 81 04 62 61 72 65 (unmasked text) is echoed as 81 04 62 61 72 65.",
    shows: /type: 'text'|did not report|close \(1\)/,
  },
  P15: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd does not validate text. A message that is not valid UTF-8 arrives with U+FFFD in it, which a valid message may also contain.",
    evidence: "workerd 2026-10: a text frame of the byte ff is echoed as 81 03 ef bf bd.",
    shows: /type: 'text'|did not report|close \(1\)/,
  },
  P16: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd accepts and sends control frames of more than 125 bytes.",
    evidence:
      "workerd 2026-10: a ping of 126 bytes is answered by 8a 7e 00 7e …; a reserved bit by a close frame whose reason makes it 88 7e 00 81 03 ea 52 65 63 65 69 76 65 64 ….",
    shows: /long or fragmented control frame|did not report|close \(1\)/,
  },
  P17: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd does not validate the payload of a close frame. It reports one byte as 1005, like an empty payload, and also the code 1005. A reason that is not valid UTF-8 is passed on as text.",
    evidence: 'workerd 2026-10: 88 81 … (one byte) causes webSocketClose(1005, ""), and the answer 88 00.',
    shows: /code: 100[05]|not valid for encoding/,
  },
  P19: {
    columns: ["deno"],
    why: "Deno accepts a pong of more than 125 bytes without reporting it (it refuses such a ping).",
    evidence: "Deno 2.9.5: after 8a fe 00 7e … the connection stays open, without an error event.",
    shows: /did not report close|close \(1\)/,
  },
  P20: {
    columns: ["workers", "durable", "evicted"],
    why: 'workerd buffers what a client has not read, and does not report how much it is: `bufferedAmount` is 0, every `send` returns "sent", and there is no drain.',
    evidence:
      "cloudflare/workerd#988 (open): WebSocket has no bufferedAmount; workerd 2026-10: 256 sends of 64 KiB to a client that does not read return.",
    shows: /^0 bytes wait|Input:\s+'s+'/m,
  },
  P21: {
    columns: ["deno", "workers", "durable", "evicted"],
    // A client on a busy machine may be too slow to reach the limit.
    sometimes: true,
    why: "The standard WebSocket API, the only one of Deno and workerd, can't stop reading: above the limit the connection is closed with 1013.",
    evidence:
      'WHATWG WebSockets, the WebSocket interface; whatwg/websockets#17 (open): it lacks flow control. The close frame is 1013 "Too many messages queued".',
    // Deno resets TCP if more data arrives than it reads before the close times out.
    shows: /Too many messages queued|"how":"reset"/,
  },
  P22: {
    columns: ["deno", "workers", "durable", "evicted"],
    why: 'workerd upgrades only requests with exactly one Upgrade header that is "websocket". Deno upgrades requests with one Upgrade header, and its API can\'t distinguish that from two. On both, the core answers a list with 426 before any hook runs.',
    evidence:
      'Deno 2.9.5, a bare Deno.serve and two Upgrade headers, h2c and websocket: 101, then 400 to the first frame. workerd 2026-10, a bare Worker and "Upgrade: h2c, websocket": 500, "Worker tried to return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket"", and no event on the accepted half.',
    shows: /426 !== 101/,
  },
  P23: {
    columns: ["durable"],
    why: "If an object closes the connection of a client that has sent no message, TCP stays open until the client ends it or the object is evicted. After one message it ends immediately.",
    evidence:
      "workerd 2026-10, a bare object: close(4000) in fetch or 300 ms later, then 88 02 0f a0, the client's answer, webSocketClose with readyState 3, and no FIN within 10 s. It is the same without a close() there, with one without a code or a later one, and after a send.",
    shows: /no sign of an event/,
  },
  P24: {
    columns: ["durable", "evicted"],
    why: "After a broken frame workerd sends the close frame to an object's client, but leaves TCP open until the client ends it or the object is evicted.",
    evidence:
      "workerd 2026-10, a bare object: opcode 6 gets 88 … 03 ea …, and webSocketError is called. Neither close() in it, nor the client's answer, nor its FIN ends TCP.",
    shows: /no sign of an event/,
  },
  P25: {
    columns: ["workers"],
    why: "On a plain Worker each connection is alone in the request that accepted it. Nothing there can count connections, so only Cloudflare's own limits apply.",
    evidence: "Cloudflare documentation, How Workers works, isolates: requests of one Worker run in many isolates that share nothing.",
    shows: /101 !== 503|the handshake was accepted|of 5 handshakes were accepted/,
  },
  P26: {
    columns: ["attached", "hono", "bun", "deno", "workers", "durable", "evicted"],
    why: "Until a request's head is complete, only the native server knows of it and of its TLS handshake, and it applies its own deadlines. Bun: 10 s. workerd: 15 s. An application's own Node server: as configured (60 s for a head, 120 s for TLS). `serve({ fetch })`: 10 s, whatever its handlers set. Deno: none; put a proxy in front of it.",
    evidence:
      "A head of which one byte arrives every 500 ms: Bun 1.4.5 ends TCP after 12 s, workerd 2026-10 after 15 s, Node 24 by default after 90 s with 408; Deno 2.9.5 had not after 200 s (denoland/deno#3515, open). A TLS handshake that does not start, arrives one byte every 700 ms, stops after the ClientHello, or is followed by no request: Bun ends TCP after 12 s, Deno not after 200 s: ext/http/http_next.rs, `serve_https` and `serve_http11_raw`, sets no timer, and Deno.serve has no option for one.",
    shows: /no sign of (a response|an event)/,
  },
  P27: {
    columns: ["workers", "durable", "evicted", "memory"],
    why: "workerd has no way to send a ping, so a silent client that never sent the text ping can't be distinguished from one that has vanished. It is never disconnected for its silence.",
    evidence:
      "Cloudflare documentation, Workers, WebSockets: the methods are accept, send, close; workerd 2026-10: a silent client gets no frame.",
    shows: /did not report close|close \(1\)|memory has no wire/,
  },
  P28: {
    columns: ["deno", "workers", "durable", "evicted"],
    why: "Deno and workerd answer a client's ping frames without reporting them, so these are no sign of life there. The text ping is one, and on Deno also the pong to its own ping.",
    evidence:
      'Cloudflare documentation, Workers, WebSockets, and WHATWG WebSockets: the events are message, close, error; there is none for a ping frame. Deno 2.9.5: a client that only sends pings gets "No response from ping frame.".',
    shows: /type: '(close|end)'/,
  },
  P29: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd answers a handshake over HTTP/1.0 with 101 and then ends TCP, and a Worker can't see the request's version. The close hook gets 1006.",
    evidence: 'workerd 2026-10, a bare Worker: "HTTP/1.0 101 Switching Protocols", FIN, and close 1006 at the accepted half.',
    shows: /type: 'end'/,
  },
  P30: {
    columns: ["workers", "durable", "evicted"],
    sometimes: true,
    why: "workerd does not report a client that resets before it has read the 101, if the reset arrives while the 101 is being written. The connection's close hook then does not run, and it occupies a slot for as long as the object has it, even across evictions.",
    evidence:
      "workerd 2026-10, a bare Durable Object: of 1 130 clients that reset between the request and the 101, 1 113 got no webSocketClose (test/fuzz/limits.ts). With the flag enable_request_signal the signal does not abort either, a send to such a socket succeeds, and an eviction restores it. Behind `route`, which lets workerd check its client once more before the 101, it is one in ten of those that reset within 5 ms.",
    shows: /503: the server is full|close is not the last hook, or not once: open/,
  },
  P34: {
    columns: ["deno"],
    why: "Deno's WebSockets are never compressed: every offered extension is declined.",
    evidence: "Deno 2.9.5, a bare Deno.upgradeWebSocket: an offer of permessage-deflate gets a 101 without Sec-WebSocket-Extensions.",
    shows: /nothing was negotiated/,
  },
  P31: {
    columns: ["bun"],
    why: "While an answer is pending, for a handshake or another request, Bun ends TCP without an answer if more data arrives on the connection.",
    evidence:
      "Bun 1.4.5, a bare Bun.serve whose fetch answers after 300 ms, and two GETs in one segment: fetch is called for the first, then FIN. If fetch answers immediately, both are answered.",
    shows: /the server ended TCP/,
  },
  P32: {
    columns: ["bun", "deno", "workers", "durable", "evicted"],
    why: "If the native server keeps connections alive, what a refused client sends is the beginning of its next request, with the native server's own deadline (P26): Bun 10 s, workerd 15 s, Deno none.",
    evidence:
      "A 403, then a byte every 200 ms: Bun 1.4.5 ends TCP after 10 to 16 s, Deno 2.9.5 not within 16 s, even with Connection: close in the answer.",
    shows: /no sign of an event/,
  },
  P50: {
    columns: ["deno", "durable", "evicted"],
    why: "Neither Deno nor a Durable Object can cut the TCP connection of a single socket: a client that neither answers a close nor ends TCP keeps its socket. Such sockets don't occupy slots, but their number is limited: together with open connections, to twice `maxConnections`, beyond which handshakes get 503.",
    evidence:
      "Deno 2.9.5: after `close()` a silent client still has its descriptor after 25 s; workerd 2026-10: after `close()` the socket is in getWebSockets() with readyState 2, across evictions, until the client answers or ends TCP, which webSocketClose reports.",
    shows: /the handshake got 503/,
  },
  P51: {
    columns: ["node", "attached", "hono"],
    why: "ws counts the fragments of a message, because it keeps each of them separately. Above 65 536 (`maxFragments`, by default 16 384) it closes with 1008.",
    evidence: 'ws 8.23, lib/receiver.js: "Too many message fragments", WS_ERR_TOO_MANY_BUFFERED_PARTS.',
    shows: /code: 1008/,
  },
  P43: {
    columns: ["workers", "durable", "evicted"],
    why: "`fetch` in a Worker or through a service binding creates requests with only an Upgrade header, and a Worker can't distinguish them from requests over TCP. So `open` runs, workerd answers 426, and `close` gets 1006. Rate limits, connection limits and origins apply to them.",
    evidence:
      'workerd 2026-10, a bare Worker that returns a 101 with a WebSocket to "GET / HTTP/1.1, Host, Upgrade: websocket": 426 "Upgrade Required"; close 1006 on an object\'s socket, no event on the half of a plain Worker, which Edgewire then checks after five seconds.',
    shows: /426: upgrade, open, close 1006/,
  },
  P44: {
    columns: ["attached"],
    why: "If a server has an `upgrade` listener, Node passes it every request with Connection: upgrade and an Upgrade header, whatever the protocol, and not to its `request` listener. `serve` sets `shouldUpgradeCallback`; on its own server the application must set it.",
    evidence:
      "Node 24 documentation, http, Event: 'upgrade' and shouldUpgradeCallback (24.9 and later); the application of this column does not get the request, the answer is 426.",
    shows: /undefined[^]*'fetch'/,
  },
  P45: {
    columns: ["workers"],
    until: "2026-11-17",
    why: "Before compatibility date 2026-11-17 (or without the flag enable_request_signal) a plain Worker can't know that its client has reset while `upgrade` was pending. The connection opens, and is closed five seconds later. With an object, the request is not forwarded.",
    evidence:
      "workerd 2026-11, a bare Worker that awaits 500 ms, and a client that resets after 150 ms: `request.signal.aborted` is false at 2026-10-01, true at 2026-11-17.",
    shows: /open/,
  },
  P46: {
    columns: ["workers", "durable", "evicted", "memory"],
    why: "workerd has no way to send a ping. A client that has sent the text ping once has no other way to show that it is alive, and must continue to send it. In memory it is the same.",
    evidence: "Cloudflare documentation, Workers, WebSockets: the methods are accept, send, close; adapters/memory/index.ts.",
    shows: /type: '(close|end)'|the connection has ended/,
  },
  P47: {
    columns: ["deno"],
    why: "Deno itself answers 400, before any handler gets the request, to more than 128 headers or a head of 64 KiB or more. Below that the core answers 431.",
    evidence: "Deno 2.9.6: 128 headers 101, 129 headers 400; a header of 60 kB 431, one of 66 kB 400.",
    shows: /400,/,
  },
  P48: {
    columns: ["durable", "evicted"],
    why: "A half-closed TCP connection of an object stays open until `close()` is called on its socket. That sends a close frame with 1011 to a client that has sent FIN without a close frame.",
    evidence:
      "workerd 2026-11, a bare object: FIN without a close frame causes webSocketClose(1006), and TCP stays half open; after close(1011) there 88 02 03 f3, then FIN.",
    shows: /close/,
  },
  P49: {
    columns: ["bun"],
    why: "Bun sends FIN directly after its close frame, without waiting for the client's. Clients still read the close frame, but Firefox sometimes reports such a close as unclean (`wasClean` is false, the code is ours).",
    evidence:
      "Bun 1.4.5, a bare Bun.serve: 88 02 0f a0 and FIN in one read. Firefox 153: 31 of 40 closes were not clean, in Chromium none.",
    shows: /undefined/,
  },
} as const satisfies Record<string, Limit>;

export type LimitId = keyof typeof limits;
