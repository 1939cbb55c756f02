/** How a connection ends, and how a handshake is refused: who does it, and why. docs/reference/closes.md and statuses.md are made from it. */

/** By code: who sends it, when, and what a client does then. */
export const closes: Readonly<Record<number, readonly [who: string, when: string, then: string]>> = {
  1000: ["either", "Everything is done: `close()` without a code.", "The client of Edgewire does not reconnect."],
  1001: ["either", "The server shuts down, or restarts; a page is left.", "It reconnects, after the time in the reason if there is one."],
  1002: ["server", "The client broke RFC 6455, or the protocol of delivery.", "It does not reconnect."],
  1003: ["either", "Your own: a kind of data that you don't take. Edgewire never sends it.", "It does not reconnect."],
  1005: ["nobody", "What the hook gets for a close frame without a code.", "It reconnects."],
  1006: [
    "nobody",
    "What both sides are shown where there was no close frame: the network failed, or a process was killed.",
    "It reconnects.",
  ],
  1007: ["server", "The client sent text that is not UTF-8.", "It does not reconnect."],
  1008: ["server", "The client exceeded `rate`, or another connection has taken over its session of delivery.", "It does not reconnect."],
  1009: ["server", "A message was larger than `maxPayload`.", "It does not reconnect."],
  1010: ["client", "The client needs an extension that the server does not have. Edgewire never sends it.", "It does not reconnect."],
  1011: ["server", "A hook failed, or what a connection needs could not be stored or restored.", "It reconnects."],
  1012: ["server", "The connection's state is of another `version`, and the handler has no `migrate`.", "It reconnects."],
  1013: ["server", "The client reads too slowly (`maxBuffered`), or too many of its messages wait (`maxQueued`).", "It reconnects."],
  1014: ["proxy", "A gateway got no valid answer. Edgewire never sends it.", "It reconnects."],
  3000: ["server", "The credential's `expiresAt` has passed.", "It does not reconnect: get a new credential first."],
  3003: ["server", "Your own: this client may not do that. Edgewire never sends it.", "It does not reconnect."],
  4002: [
    "client",
    "A client with delivery gives up: the server has no delivery, or broke its protocol.",
    "It has ended, with `error` before.",
  ],
};

/** By status: why, and what to do. */
export const statuses: Readonly<Record<number, readonly [why: string, cure: string]>> = {
  400: [
    "The request is not a valid handshake, or lacks a subprotocol that the server requires.",
    "The body says what is wrong. A proxy in between may have removed headers.",
  ],
  401: ["`upgrade` returned an `expiresAt` that is in the past.", "Get a new credential."],
  403: ["The page's origin may not connect.", "Add it to the option `origins`, or see `trustProxy` behind a proxy."],
  404: ["No handler is attached for the path.", "See the option `path` of `attach`, or the routes of your app."],
  405: ["A handshake is a GET.", "Use a WebSocket client."],
  414: ["The URL is too long.", "Send less in the URL, and more in the first message."],
  417: ["The request has the header Expect, and a handshake has no body.", "Use a WebSocket client."],
  421: ["The name in Host is not in the option `hosts`.", "Add it if it is yours."],
  426: [
    "The request is no handshake, or asks for another version of the protocol.",
    "Use a WebSocket client. A proxy in between must pass on Upgrade and Connection.",
  ],
  429: [
    "The address has as many connections as `maxConnectionsPerAddress` allows.",
    "Raise it. Behind a proxy, set `trustProxy`, or all clients count as one.",
  ],
  431: ["The request has too many or too large headers.", "Send fewer cookies."],
  500: [
    "`upgrade` failed, or your `fetch`. The body says nothing of it.",
    "Look at the server's log, or give the handler an `error` hook.",
  ],
  503: [
    "The server or room is full, is closing, can't be reached, or took too long. Retry-After says when to come back.",
    "The body and `observe.refused` say which. The client of Edgewire tries again.",
  ],
};
