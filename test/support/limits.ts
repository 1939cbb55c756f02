/**
 * What a platform can't do, however a library tries. A case under a limit still runs, and must fail as `shows` says. When it passes, the limit
 * is no longer true, and the run says so. Numbers are never reused: P9 and P18 turned out not to be limits.
 */
import type { Column } from "./case.ts";

export interface Limit {
  readonly columns: readonly Column[];
  /** The compatibility date from which the platform has it; before that the case must pass. */
  readonly since?: string;
  /** The compatibility date from which the platform no longer has it: from then on the case must pass. */
  readonly until?: string;
  /** A race inside the platform: it shows now and then, so a case that passes proves nothing against it. */
  readonly sometimes?: true;
  readonly why: string;
  /** A citation, and what was observed. */
  readonly evidence: string;
  /** How a case under it fails. */
  readonly shows: RegExp;
}

export const limits = {
  P1: {
    columns: ["memory"],
    why: "The in-process runtime has no bytes, no TCP and no HTTP: a case has no wire to write to or read from.",
    evidence: "adapters/memory/index.ts; the case stops at its first raw byte.",
    shows: /memory has no wire/,
  },
  P2: {
    columns: ["workers"],
    why: "On a plain Worker a socket belongs to the request that accepted it, so nothing can reach several sockets. Rooms and topics need a Durable Object, and the error says so.",
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
    why: "Bun answers 400 to a client whose frames come with the request when `upgrade` awaits anything; RFC 6455 section 4.1 forbids a client to send before the 101.",
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
    why: "A Worker knows the client's address from the header that Cloudflare's edge adds; workerd alone does not add it, so the address is \"\".",
    evidence: "Cloudflare documentation, HTTP headers, CF-Connecting-IP; bare workerd's request has no such header.",
    shows: /127\.0\.0\.1/,
  },
  P7: {
    columns: ["attached"],
    why: "Node emits its upgrade event, on which `attach` relies, only for requests with the token upgrade in Connection and an Upgrade header. The application answers all others.",
    evidence: "Node documentation, http, Event: 'upgrade'; the application of this column answers 200.",
    shows: /200|undefined[^]*websocket/,
  },
  P8: {
    columns: ["deno", "durable", "evicted"],
    why: "Neither Deno nor a Durable Object can cut one socket's TCP: `terminate()` runs the close hook at once, and the client sees a close frame, on Deno without a code.",
    evidence:
      "WHATWG WebSockets, all that Deno has: close() alone ends a connection; Deno 2.9.5: 88 00, then FIN. Cloudflare documentation, WebSocket Hibernation API: there is no terminate, and ctx.abort() ends the whole object.",
    shows: /close|an event/,
  },
  P10: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd removes Connection and Upgrade from every response other than a 101.",
    evidence:
      'workerd 2026-10: `new Response("x", { status: 426, headers: { upgrade: "websocket" } })` is on the wire "HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: 1\\r\\nContent-Type: text/plain;charset=UTF-8".',
    shows: /undefined[^]*websocket/,
  },
  P11: {
    columns: ["workers"],
    why: "On a plain Worker each socket is alone with its request: its only peer is itself.",
    evidence: "h3js/crossws#61: a socket can't be touched by another request; `[...connection.peers()]` has one element.",
    shows: /deep-equal|falsy value/,
  },
  P12: {
    columns: ["deno"],
    why: "Deno answers 400 to a request with both Connection: Upgrade and a Content-Length before any handler sees it.",
    evidence:
      'Deno 2.9.5, bare Deno.serve whose handler answers everything: "HTTP/1.1 400 Bad Request\\r\\ncontent-length: 0\\r\\nconnection: close"; without Content-Length the handler is asked.',
    shows: /400 !== 405/,
  },
  P13: {
    columns: ["deno"],
    why: "Deno answers a broken frame by ending TCP, without a close frame; the hook gets what a close frame would have said.",
    evidence:
      'Deno 2.9.5, bare Deno.upgradeWebSocket: after c1 81 … (a reserved bit) the client reads FIN alone; the error event says "Reserved bits are not zero", the close event code 0.',
    shows: /type: 'end'/,
  },
  P14: {
    columns: ["deno", "workers", "durable", "evicted"],
    why: "Deno and workerd accept frames without a mask, and do not report them.",
    evidence: "Deno 2.9.5 and workerd 2026-10: 81 04 62 61 72 65 (unmasked text) is echoed as 81 04 62 61 72 65.",
    shows: /type: 'text'|did not report|close \(1\)/,
  },
  P15: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd does not validate text: a message that is not UTF-8 arrives with U+FFFD in it, which valid text may contain too.",
    evidence: "workerd 2026-10: a text frame of the byte ff is echoed as 81 03 ef bf bd.",
    shows: /type: 'text'|did not report|close \(1\)/,
  },
  P16: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd accepts and writes control frames of more than 125 bytes.",
    evidence:
      "workerd 2026-10: a ping of 126 bytes is answered by 8a 7e 00 7e …; a reserved bit by a close frame whose reason makes it 88 7e 00 81 03 ea 52 65 63 65 69 76 65 64 ….",
    shows: /long or fragmented control frame|did not report|close \(1\)/,
  },
  P17: {
    columns: ["workers", "durable", "evicted"],
    why: "workerd does not validate a close frame's payload: it reports one byte as 1005, like no payload, and also the code 1005. A reason that is not UTF-8 is passed on as text.",
    evidence: 'workerd 2026-10: 88 81 … (one byte) gives webSocketClose(1005, ""), and the answer 88 00.',
    shows: /code: 100[05]|not valid for encoding/,
  },
  P19: {
    columns: ["deno"],
    why: "Deno accepts a pong of more than 125 bytes and does not report it. It refuses such a ping.",
    evidence: "Deno 2.9.5: after 8a fe 00 7e … the connection goes on, without an error event.",
    shows: /did not report close|close \(1\)/,
  },
  P20: {
    columns: ["workers", "durable", "evicted"],
    why: 'workerd keeps what a client has not read and does not report how much it is: `bufferedAmount` is 0, every `send` returns "sent", and there is no drain.',
    evidence:
      "cloudflare/workerd#988 (open): WebSocket has no bufferedAmount; workerd 2026-10: 256 sends of 64 KiB to a client that does not read return.",
    shows: /^0 bytes wait|Input:\s+'s+'/m,
  },
  P21: {
    columns: ["deno", "workers", "durable", "evicted"],
    // A client that a busy machine slows down stays under the bound.
    sometimes: true,
    why: "The standard's WebSocket, which is all that Deno and workerd have, can't stop reading. Over the limit the connection closes with 1013.",
    evidence:
      'WHATWG WebSockets, the WebSocket interface; whatwg/websockets#17 (open): it lacks flow control. The close frame is 1013 "Too many messages queued".',
    // Deno resets TCP where more is on its way than it reads before the close times out.
    shows: /Too many messages queued|"how":"reset"/,
  },
  P22: {
    columns: ["deno", "workers", "durable", "evicted"],
    why: 'workerd upgrades only a request with one Upgrade header that is exactly "websocket", Deno only one with a single Upgrade header, which its API can\'t tell from two. The core answers a list with 426 there before any hook runs.',
    evidence:
      'Deno 2.9.5, a bare Deno.serve and two Upgrade headers, h2c and websocket: 101, then 400 to the first frame. workerd 2026-10, a bare Worker and "Upgrade: h2c, websocket": 500, "Worker tried to return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket"", and no event on the accepted half.',
    shows: /426 !== 101/,
  },
  P23: {
    columns: ["durable"],
    why: "After an object closes a client that has sent no message, TCP stays open until the client ends it or the object is evicted. After one message it ends at once.",
    evidence:
      "workerd 2026-10, a bare object: close(4000) in fetch or 300 ms later, 88 02 0f a0, the client's answer, webSocketClose with readyState 3, and no FIN within 10 s; leaving close() out there, one without a code, a later one, or a send before it change nothing.",
    shows: /no sign of an event/,
  },
  P24: {
    columns: ["durable", "evicted"],
    why: "After a broken frame workerd sends an object's client the close frame, and leaves TCP open until the client ends it or the object is evicted.",
    evidence:
      "workerd 2026-10, a bare object: opcode 6 gets 88 … 03 ea …, webSocketError is called, close() in it sends and ends nothing, the client's answer and its FIN neither.",
    shows: /no sign of an event/,
  },
  P25: {
    columns: ["workers"],
    why: "On a plain Worker each connection is alone in the request that accepted it: nothing there can count connections, so only Cloudflare's own limits hold.",
    evidence: "Cloudflare documentation, How Workers works, isolates: requests of one Worker run in many isolates that share nothing.",
    shows: /101 !== 503|the handshake was accepted|of 5 handshakes were accepted/,
  },
  P26: {
    columns: ["attached", "hono", "bun", "deno", "workers", "durable", "evicted"],
    why: "Until a request's head is complete, only the native server knows of it and of its TLS handshake, and its own deadlines hold: 10 s on Bun, 15 s on workerd, 10 s with `serve({ fetch })` whatever its handlers say, none on Deno. An application's own Node server has the ones it was created with (60 s for a head, 120 s for TLS by default). Put a proxy in front of Deno.",
    evidence:
      "A head of which a byte comes every 500 ms: Bun 1.4.5 ends TCP after 12 s, workerd 2026-10 after 15 s, Node 24 by default after 90 s with 408; Deno 2.9.5 had not after 200 s (denoland/deno#3515, open). A TLS handshake of which nothing, a byte every 700 ms, or the ClientHello alone comes, or after which no request does: Bun after 12 s, Deno not after 200 s: ext/http/http_next.rs, `serve_https` and `serve_http11_raw`, sets no timer, and Deno.serve takes none.",
    shows: /no sign of (a response|an event)/,
  },
  P27: {
    columns: ["workers", "durable", "evicted", "memory"],
    why: "workerd can't send a ping, and sends none by itself. A client that never sent the text ping can't be told from one that vanished, so it is never disconnected for its silence.",
    evidence:
      "Cloudflare documentation, Workers, WebSockets: the methods are accept, send, close; workerd 2026-10: a client that is silent gets no frame.",
    shows: /did not report close|close \(1\)|memory has no wire/,
  },
  P28: {
    columns: ["deno", "workers", "durable", "evicted"],
    why: "Deno and workerd answer a client's ping frames and do not report them, so these are no sign of life there. The text ping is, and on Deno the pong to its own ping.",
    evidence:
      'Cloudflare documentation, Workers, WebSockets, and WHATWG WebSockets: the events are message, close, error; of a ping frame none comes. Deno 2.9.5: a client that sends pings alone gets "No response from ping frame.".',
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
    why: "When a client resets at the moment in which its 101 is written, workerd does not report it to a Worker or Durable Object. The connection stays without a close hook, and takes a place, for as long as the object has it, through evictions too.",
    evidence:
      "workerd 2026-10, a bare Durable Object: of 1 130 clients that reset between the request and the 101, 1 113 got no webSocketClose (test/fuzz/limits.ts). With the flag enable_request_signal the signal does not abort either, a send to such a client succeeds, and an eviction restores it. Behind `route`, where workerd checks its client once more before the 101, it is one in ten of those that reset within 5 ms.",
    shows: /503: the server is full|close is not the last hook, or not once: open|did not report the close hook of every connection/,
  },
  P34: {
    columns: ["deno"],
    why: "Deno's WebSockets are never compressed: every offer of an extension is declined.",
    evidence: "Deno 2.9.5, a bare Deno.upgradeWebSocket: an offer of permessage-deflate gets a 101 without Sec-WebSocket-Extensions.",
    shows: /nothing was negotiated/,
  },
  P31: {
    columns: ["bun"],
    why: "Bun ends TCP without an answer when anything arrives behind a request whose answer is still pending, a handshake or another request.",
    evidence:
      "Bun 1.4.5, a bare Bun.serve whose fetch answers after 300 ms, and two GETs in one segment: fetch is called for the first, then FIN. If fetch answers at once, both are answered.",
    shows: /the server ended TCP/,
  },
  P32: {
    columns: ["bun", "deno", "workers", "durable", "evicted"],
    why: "Where the native server keeps connections alive, what a refused client sends is the beginning of its next request, with the native server's own deadline (P26): 10 s on Bun, 15 s on workerd, none on Deno.",
    evidence:
      "A 403, then a byte every 200 ms: Bun 1.4.5 ends TCP after 10 to 16 s, Deno 2.9.5 not within 16 s, and not with Connection: close in the answer either.",
    shows: /no sign of an event/,
  },
  P50: {
    columns: ["deno", "durable", "evicted"],
    why: "Neither Deno nor a Durable Object can cut one socket's TCP: a client that neither answers a close nor ends TCP keeps its socket. Such sockets take no place, but their number is limited: at twice `maxConnections`, together with open connections, handshakes get 503.",
    evidence:
      "Deno 2.9.5: `close()`, and a silent client still has its descriptor after 25 s; workerd 2026-10: after `close()` the socket is in getWebSockets() with readyState 2, through evictions, until the client answers or ends TCP, which webSocketClose reports.",
    shows: /the handshake got 503/,
  },
  P51: {
    columns: ["node", "attached", "hono"],
    why: "ws keeps each fragment of a message separately, and counts them: over 65 536 (its `maxFragments`, by default 16 384) it closes with 1008.",
    evidence: 'ws 8.23, lib/receiver.js: "Too many message fragments", WS_ERR_TOO_MANY_BUFFERED_PARTS.',
    shows: /code: 1008/,
  },
  P52: {
    columns: ["durable", "evicted"],
    why: "Each room is an object of its own, and nothing in a Worker can list a namespace's objects: no call reaches all of them, or names them.",
    evidence:
      "Cloudflare documentation, Durable Object Namespace: idFromName, idFromString, newUniqueId, get, getByName, jurisdiction; only the account's REST API lists objects.",
    shows: /from outside got 404/,
  },
  P53: {
    columns: ["workers"],
    why: "On a plain Worker a socket belongs to the request that accepted it, so no connection can outlive its socket there: it has no delivery, as it has no rooms. A client that asks for delivery is told so.",
    evidence: 'h3js/crossws#61; workerd: "Cannot perform I/O on behalf of a different request".',
    shows: /no delivery: the server selected ""|the handshake got \d+|from outside got 404/,
  },
  P43: {
    columns: ["workers", "durable", "evicted"],
    why: "A request with Upgrade alone is what `fetch` makes in a Worker or a service binding, and a Worker can't tell it from one that came over TCP: `open` runs, workerd answers 426, and the close hook gets 1006. Rates, places and origins apply to it.",
    evidence:
      'workerd 2026-10, a bare Worker that returns a 101 with a WebSocket to "GET / HTTP/1.1, Host, Upgrade: websocket": 426 "Upgrade Required"; close 1006 at an object\'s socket, nothing at the half of a plain Worker, which Edgewire then looks at after five seconds.',
    shows: /426: upgrade, open, close 1006/,
  },
  P44: {
    columns: ["attached"],
    why: "Where a server has an `upgrade` listener, Node gives it every request with Connection: upgrade and an Upgrade header, whatever the protocol, and its `request` listener gets none of them. `serve` sets `shouldUpgradeCallback`; on its own server only the application may set it.",
    evidence:
      "Node 24 documentation, http, Event: 'upgrade' and shouldUpgradeCallback (24.9 and later); the application of this column is not asked, the answer is 426.",
    shows: /undefined[^]*'fetch'/,
  },
  P45: {
    columns: ["workers"],
    until: "2026-11-17",
    why: "Before compatibility date 2026-11-17 (or without the flag enable_request_signal) workerd does not tell a plain Worker that its client reset while `upgrade` was pending: the connection opens, and is closed five seconds later. In front of an object the request goes no further.",
    evidence:
      "workerd 2026-11, a bare Worker that awaits 500 ms, a client that resets after 150: `request.signal.aborted` is false at 2026-10-01, true at 2026-11-17.",
    shows: /open/,
  },
  P46: {
    columns: ["workers", "durable", "evicted", "memory"],
    why: "workerd can't send a ping: a client that has sent the text ping once has no other way to show that it is alive, and must go on sending it. The same holds in memory.",
    evidence: "Cloudflare documentation, Workers, WebSockets: the methods are accept, send, close; adapters/memory/index.ts.",
    shows: /type: '(close|end)'|the connection has ended/,
  },
  P47: {
    columns: ["deno"],
    why: "Deno itself answers 400, before any handler sees the request, to more than 128 headers or a head of 64 KiB or more. Below that, the core answers 431.",
    evidence: "Deno 2.9.6: 128 headers 101, 129 headers 400; a header of 60 kB 431, one of 66 kB 400.",
    shows: /400,/,
  },
  P48: {
    columns: ["durable", "evicted"],
    why: "A half-closed TCP connection of an object stays until `close()` is called on its socket. That sends a close frame, 1011, to a client that has sent FIN without one.",
    evidence:
      "workerd 2026-11, a bare object: FIN without a close frame gives webSocketClose(1006), and TCP stays half open; after close(1011) there 88 02 03 f3, then FIN.",
    shows: /close/,
  },
  P49: {
    columns: ["bun"],
    why: "Bun sends FIN right after its close frame, without waiting for the client's. Clients read the close frame all the same, but Firefox sometimes reports such a close as unclean (`wasClean` is false, the code is ours).",
    evidence: "Bun 1.4.5, a bare Bun.serve: 88 02 0f a0 and FIN in one read. Firefox 153: 31 of 40 closes not clean, Chromium none.",
    shows: /undefined/,
  },
  C1: {
    columns: ["memory+cluster"],
    why: "Of connections on other servers only their number is known, as last reported, for each topic: whether those that `except` names are among them is not.",
    evidence: "docs/guide/clusters.md; a server would have to ask all others for each publish.",
    shows: /\d+ !== \d+/,
  },
  C2: {
    columns: ["memory+cluster"],
    sometimes: true,
    why: "What is published reaches a server's own subscribers when the backplane says so, so that all servers have one order. What is sent to one connection, its close, and what the same turn reads do not wait for that.",
    evidence: "docs/guide/clusters.md: one order everywhere; waiting would make `send` asynchronous.",
    shows: /data: '2'|falsy value|message 0 of 7|code: 4000/,
  },
  C3: {
    columns: ["memory+cluster"],
    why: "In a hook `peers` and `connections` are this server's: a connection lives on one server. What all servers answer comes server by server, and a hook's `send` does not know whether another server has the connection.",
    evidence: "docs/guide/clusters.md; `room.connections()` from outside asks all of them.",
    shows: /deep-equal|falsy value/,
  },
  C4: {
    columns: ["memory+cluster"],
    why: "Not there yet: `room.delete`, `roomNames`, and `disconnect` of another server's connection in a hook. They are refused by name, never done on one server alone.",
    evidence: "src/cluster/rooms/rooms.ts: `lacks`.",
    shows: /not yet supported where rooms span servers/,
  },
  C5: {
    columns: ["memory+cluster"],
    why: "What a session had acknowledged is remembered by the backplane, for as long as it keeps the room; `rememberAcknowledged` is not asked.",
    evidence: "src/cluster/turns.ts: a session's record outlives it.",
    shows: /1 !== undefined/,
  },
  C6: {
    columns: ["memory+cluster"],
    why: "On another server `life` is another one: a hook that still runs where the client was is not there, and the message has its hook again.",
    evidence: "docs/guide/clusters.md; a request that has no answer yet ends as `interrupted`, and the client asks again.",
    shows: /'[\w-]{8}'/,
  },
  C7: {
    columns: ["memory+cluster"],
    why: "Limits of connections and `stats` are each server's.",
    evidence: "docs/guide/clusters.md: a server would have to ask all others at each handshake.",
    shows: /the handshake was accepted|live: 0|did not come|the close hook|the end of close/,
  },
  C8: {
    columns: ["memory+cluster"],
    why: "Calls of `room.storage` wait for those that this server made before, not for another server's: until a transaction is applied, others read what was there. Values that the option `storage` keeps elsewhere are updated atomically by each server for itself alone.",
    evidence: "src/cluster/values.ts: written on the condition that nothing has changed, or computed again.",
    shows: /string b|Set\(\d+\)/,
  },
  C9: {
    columns: ["memory+cluster"],
    why: "`room.open` and `room.empty` run on each server, for its own first and last connection: the hooks of two servers don't wait for each other.",
    evidence: "docs/guide/clusters.md; `elsewhere` in their argument says how many connections other servers have.",
    shows: /room\.open|room\.empty|'heard'/,
  },
  C10: {
    columns: ["memory+cluster"],
    sometimes: true,
    why: "Two runs of an alarm may be on two servers: what a hook remembers in its process is not there.",
    evidence: "docs/guide/clusters.md: an alarm belongs to the room, and any server runs it.",
    shows: /'alarm'/,
  },
} as const satisfies Record<string, Limit>;

export type LimitId = keyof typeof limits;

/** Limits of cases where rooms span servers. */
export const ofCluster: Readonly<Record<string, LimitId>> = {
  T3: "C1",
  T13: "C2",
  T17: "C1",
  R1: "C1",
  R3: "C3",
  R5: "C1",
  R6: "C3",
  R12: "C2",
  R13: "C3",
  R15: "C4",
  R16: "C1",
  R17: "C4",
  J1: "C3",
  J11: "C3",
  G1: "C9",
  G2: "C9",
  G3: "C9",
  G4: "C9",
  G5: "C9",
  G6: "C9",
  G9: "C9",
  G11: "C10",
  DL3: "C3",
  DL5: "C2",
  DL16: "C5",
  DL17: "C6",
  DL26: "C7",
  DL27: "C7",
  DL34: "C7",
  K12: "C8",
  K14: "C8",
  Y2: "C1",
  Y8: "C2",
};
