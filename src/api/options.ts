/** The contract in types: the options of a handler, with their defaults. */
import type { Delivery } from "./delivery.ts";
import type { Observer } from "./observer.ts";
import type { HistoryOption } from "./history.ts";

/** Which origins a browser may connect from. */
export type Origins = "*" | readonly string[] | ((origin: string, request: Request) => boolean | PromiseLike<boolean>);

/** See `Options.heartbeat`. */
export interface Heartbeat {
  /** Milliseconds of silence before a client has to show that it is alive. Default: 30 000. */
  readonly interval?: number;
  /** Milliseconds that the client then has. Default: 10 000. */
  readonly timeout?: number;
}

/** Where the rooms' Durable Objects are located. Cloudflare extends both lists, so any name of the right form is accepted. */
export interface Placement {
  /** Which law applies to where rooms run and store. Default: none. */
  readonly jurisdiction?: "eu" | "us" | "fedramp" | "fedramp-high" | (string & {});
  /** Near where a room is first created: a region, or a function of the room's name. Default: near its first client. */
  readonly locationHint?: LocationHint | ((room: string) => LocationHint | undefined);
}

/** Regions of Cloudflare. */
export type LocationHint = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me" | (string & {});

/** Every option has one default, and the same effect on every runtime. */
export interface Options {
  /**
   * Origins that may connect besides the request's own host: exact (`"https://example.com"`), patterns (`"https://*.example.com"`,
   * `"http://localhost:*"`), `"null"` for sandboxed frames, `"file://"`, a function, or `"*"` for all. The function may be asynchronous within
   * `upgradeTimeout`. Names are compared as a browser writes them. Requests without an Origin don't come from a browser and are accepted.
   * Default: none.
   */
  readonly origins?: Origins;
  /**
   * Names allowed in a handshake's Host header, or under `trustProxy` the names that clients see: `["example.com", "*.example.com",
   * "localhost:3000"]`; a name without a port allows any port. Any other is refused with 421 before `upgrade`. On a private network it keeps out
   * pages whose name was made to resolve to this server (DNS rebinding). Default: any.
   */
  readonly hosts?: readonly string[];
  /** Subprotocols in the server's order of preference. Default: none. */
  readonly protocols?: readonly string[];
  /** Refuses with 400 a client that offers none of `protocols`. Default: false. */
  readonly requireProtocol?: boolean;
  /**
   * Which proxies to trust for `X-Forwarded-For`, `-Host`, `-Proto` and `-Port`, or `Forwarded` (RFC 7239). `true`: the nearest proxy; a number:
   * that many proxies; a list: proxies at these addresses and networks (`["10.0.0.0/8", "2001:db8::/32"]`). Default: false.
   */
  readonly trustProxy?: boolean | number | readonly string[];
  /** Largest message in bytes; a larger one closes with 1009. Default: 1 MiB; at most 32 MiB - 1. */
  readonly maxPayload?: number;
  /** Bytes that may wait for a client that does not read; see `slowConsumer`. Default: 16 MiB. */
  readonly maxBuffered?: number;
  /**
   * What happens to a client that does not read. `"close"`: at `maxBuffered` it is closed with 1013. `"drop"`: data that would exceed
   * `maxBuffered` is dropped, and `send` returns `"dropped"`. `"coalesce"`: above `highWaterMark` only the newest published message of each topic,
   * or of each `key` that `publish` was given, is kept, and sent when the client has read. Other messages are handled as with `"close"`.
   * On workerd (Workers and Durable Objects) it has no effect, because workerd does not report what a client has not read. There every message is sent,
   * and what waits is bounded by memory alone: see docs/guide/slow-consumers.md. Default: `"close"`.
   */
  readonly slowConsumer?: "close" | "drop" | "coalesce";
  /** Bytes at which `send` returns `"backpressure"`. Default: 64 KiB. */
  readonly highWaterMark?: number;
  /** Messages that may wait for a slow asynchronous hook. At the limit the socket is paused, or closed with 1013 if it can't be. Default: 4096. */
  readonly maxQueued?: number;
  /**
   * What one client may send: messages and bytes per second (text counts its UTF-16 units), and how many seconds' worth at once. Above it, the
   * connection is closed with 1008, or the message is dropped and the `drop` hook runs. `false`: no limit.
   * Default: `{ messages: 10_000, bytes: 64 MiB, burst: 2, over: "close" }`.
   */
  readonly rate?:
    | { readonly messages?: number; readonly bytes?: number; readonly burst?: number; readonly over?: "close" | "drop" }
    | false;
  /**
   * Connections of one server, pending handshakes included; more are refused with 503 and Retry-After. On Cloudflare a server is a
   * room's object; a plain Worker can't count. Default: 65 536.
   */
  readonly maxConnections?: number;
  /** Connections of one room; more are refused with 503 and Retry-After. Default: 32 768, the maximum of a Durable Object. */
  readonly maxConnectionsPerRoom?: number;
  /**
   * Connections from one client address (for IPv6, from one /64); more are refused with 429 and Retry-After. Behind a proxy, also set
   * `trustProxy`, or the proxy counts as one client. On Cloudflare counted within a room. Default: no limit.
   */
  readonly maxConnectionsPerAddress?: number;
  /** Topics that one connection may be subscribed to. Default: 1000. */
  readonly maxTopics?: number;
  /** Bytes that a room's or a topic's name may take. Default and maximum: 512. */
  readonly maxName?: number;
  /** Negotiates permessage-deflate if the runtime has it. Default: false. */
  readonly compression?: boolean;
  /**
   * Milliseconds that `upgrade` may take before the client gets a 503. Under Node's `serve` the request's head must also arrive within it (408);
   * other runtimes have a deadline of their own, Deno none. The body of a refusing `Response` has as long again. On Node it also limits
   * how long a handshake waits behind the answers to earlier requests on its connection. Default: 10 000.
   */
  readonly upgradeTimeout?: number;
  /** Milliseconds that a client has to answer a close before it is dropped; on Node also to end TCP after the close frames. Default: 10 000. */
  readonly closeTimeout?: number;
  /**
   * How the server finds clients that vanished without a close frame. After `interval` milliseconds of silence, the client is pinged if the
   * runtime can ping, and has `timeout` milliseconds to answer. If the runtime can't, a client that has sent the text ping
   * (docs/guide/liveness.md) must send something every `interval`. `false` turns it off: the text ping is then a message like any other.
   * Default: `{ interval: 30_000, timeout: 10_000 }`; each 100 to 86 400 000.
   */
  readonly heartbeat?: Heartbeat | false;
  /** What `delivery()` of "edgewire/delivery" returns: a client that comes back misses nothing, and what it sends is applied once. Default: none. */
  readonly delivery?: Delivery;
  /** Topics whose last messages are kept for later subscribers. Default: none. */
  readonly history?: HistoryOption;
  /**
   * Maximum bytes of a connection's state, encoded. Up to about 15 KiB it costs nothing to keep; on a Durable Object, more takes a row of
   * SQLite for each `setState`. Default: 64 KiB; at most 256 KiB.
   */
  readonly maxState?: number;
  /** Receives what happens, for metrics and traces; `opentelemetry()` of "edgewire/opentelemetry" creates one. Default: none. */
  readonly observe?: Observer;
  /** Name of the Durable Object binding that holds this handler's rooms on Cloudflare. Default: none, which is a plain Worker without rooms. */
  readonly binding?: string;
  /**
   * On Cloudflare, where rooms' objects run and store (Data location, in Cloudflare's documentation). It is part of a room's
   * identity: a room of the same name in another jurisdiction is another room. Ignored elsewhere. Default: none.
   */
  readonly jurisdiction?: Placement["jurisdiction"];
  /**
   * On Cloudflare, near where a room's object is first created: a region, or a function of the room's name. Ignored elsewhere.
   * Default: near its first client.
   */
  readonly locationHint?: Placement["locationHint"];
  /** Version of the state's shape, for `migrate`. Default: 0. */
  readonly version?: number;
}
