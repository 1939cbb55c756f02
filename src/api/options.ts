/** The contract in types: the options of a handler, with their defaults. */
import type { Observer } from "./observer.ts";
import type { HistoryOption } from "./history.ts";

/** Which origins a browser may connect from. */
export type Origins = "*" | readonly string[] | ((origin: string, request: Request) => boolean | PromiseLike<boolean>);

/** See `Options.heartbeat`. */
export interface Heartbeat {
  /** Milliseconds of silence before a client has to show that it lives. Default: 30 000. */
  readonly interval?: number;
  /** Milliseconds that it has for that. Default: 10 000. */
  readonly timeout?: number;
}

/** Where the Durable Objects of rooms are. Cloudflare adds to both lists: any name of its form is taken. */
export interface Placement {
  readonly jurisdiction?: "eu" | "us" | "fedramp" | "fedramp-high" | (string & {});
  readonly locationHint?: LocationHint | ((room: string) => LocationHint | undefined);
}

export type LocationHint = "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me" | (string & {});

/** Every option has one default, and the same effect on every runtime. */
export interface Options {
  /**
   * Origins that may connect besides the request's own host: exact (`"https://example.com"`), patterns (`"https://*.example.com"`,
   * `"http://localhost:*"`), `"null"` for frames in a sandbox, `"file://"`, a function, which may be asynchronous within `upgradeTimeout`, or `"*"`
   * for all. Names are compared as a browser writes them. Requests without an Origin do not come from a browser and are accepted. Default: none.
   */
  readonly origins?: Origins;
  /**
   * The names that a handshake may have in its Host header, under `trustProxy` the ones that clients see: `["example.com", "*.example.com",
   * "localhost:3000"]`, without a port for any. Any other is refused with 421 before `upgrade`. On a private network it keeps out pages whose
   * name was made to mean this server (DNS rebinding). Default: any.
   */
  readonly hosts?: readonly string[];
  /** Subprotocols in the server's order of preference. Default: none. */
  readonly protocols?: readonly string[];
  /** Refuse with 400 a client that offers none of `protocols`. Default: false. */
  readonly requireProtocol?: boolean;
  /**
   * Whose `X-Forwarded-For`, `-Host`, `-Proto` and `-Port`, or `Forwarded` (RFC 7239), are believed: `true`, the nearest proxy's; a number, that
   * many proxies'; a list, the proxies' at these addresses and networks (`["10.0.0.0/8", "2001:db8::/32"]`). Default: false.
   */
  readonly trustProxy?: boolean | number | readonly string[];
  /** Largest message in bytes; a larger one closes with 1009. Default: 1 MiB; at most 32 MiB - 1. */
  readonly maxPayload?: number;
  /** Bytes that may wait for a client that does not read; see `slowConsumer`. Default: 16 MiB. */
  readonly maxBuffered?: number;
  /**
   * What happens to a client that does not read. `"close"`: at `maxBuffered` it is closed with 1013. `"drop"`: what would exceed
   * `maxBuffered` is dropped, and `send` says so. `"coalesce"`: over `highWaterMark` only the newest published message of each topic
   * is kept, to be sent when the client has read; what else waits is as with `"close"`. Default: `"close"`.
   */
  readonly slowConsumer?: "close" | "drop" | "coalesce";
  /** Bytes at which `send` says `"backpressure"`. Default: 64 KiB. */
  readonly highWaterMark?: number;
  /** Messages that may wait for a slow asynchronous hook: then the socket is paused, or closed with 1013 where the runtime can't pause. Default: 4096. */
  readonly maxQueued?: number;
  /**
   * What one client may send: messages and bytes a second (text counts its UTF-16 units), and how many seconds' worth at once. Over it
   * the connection is closed with 1008, or the message is dropped and the `drop` hook told. `false`: anything.
   * Default: `{ messages: 10_000, bytes: 64 MiB, burst: 2, over: "close" }`.
   */
  readonly rate?:
    | { readonly messages?: number; readonly bytes?: number; readonly burst?: number; readonly over?: "close" | "drop" }
    | false;
  /**
   * Connections of one server, handshakes under way included: more are refused with 503 and Retry-After. On Cloudflare a server is a
   * room's object; a plain Worker can't count. Default: 65 536.
   */
  readonly maxConnections?: number;
  /** Connections of one room: more are refused with 503 and Retry-After. Default: 32 768, the most that a Durable Object takes. */
  readonly maxConnectionsPerRoom?: number;
  /**
   * Connections from one client address (of IPv6, from one /64): more are refused with 429 and Retry-After. Behind a proxy
   * set `trustProxy` too, or the proxy is the one client. On Cloudflare counted within a room. Default: no limit.
   */
  readonly maxConnectionsPerAddress?: number;
  /** Topics that one connection may be subscribed to. Default: 1000. */
  readonly maxTopics?: number;
  /** Bytes that a room's or a topic's name may take. Default, and the most: 512. */
  readonly maxName?: number;
  /** Negotiate permessage-deflate where the runtime has it. Default: false. */
  readonly compression?: boolean;
  /**
   * Milliseconds that `upgrade` may take before the client gets a 503, and under Node's `serve` also what its request's head may take
   * to come in (408); the other runtimes have a deadline of their own for that, Deno none. The body of a `Response` that refuses has as long
   * again. On Node it is also how long a handshake waits behind the answers to earlier requests of its connection. Default: 10 000.
   */
  readonly upgradeTimeout?: number;
  /** Milliseconds that a client has to answer a close before it is let go, on Node also to end TCP after the close frames. Default: 10 000. */
  readonly closeTimeout?: number;
  /**
   * How the server finds clients that vanished without a close frame: one of which nothing was heard for `interval` milliseconds is
   * pinged where the runtime can ping, and has `timeout` milliseconds to answer. Where it can't, a client that has sent the
   * text ping (docs/liveness.md) has to be heard every `interval`. `false` turns it off: the text ping is then a message like any other.
   * Default: `{ interval: 30_000, timeout: 10_000 }`; each 100 to 86 400 000.
   */
  readonly heartbeat?: Heartbeat | false;
  /** Topics whose last messages are kept, for those who come later. Default: none. */
  readonly history?: HistoryOption;
  /**
   * Most bytes that a connection's state may take, encoded. Up to about 15 KiB it costs nothing to keep; more is a row of SQLite for each
   * `setState` on a Durable Object. Default: 64 KiB; at most 256 KiB.
   */
  readonly maxState?: number;
  /** Told of what happens, for metrics and traces; `opentelemetry()` of "edgewire/opentelemetry" makes one. Default: none. */
  readonly observe?: Observer;
  /** Name of the Durable Object binding that holds this handler's rooms on Cloudflare. Without it: a plain Worker, no rooms. */
  readonly binding?: string;
  /**
   * On Cloudflare, where rooms' objects run and store (Data location, in Cloudflare's documentation). It is a part of a room's
   * identity: a room of the same name in another jurisdiction is another room. Ignored elsewhere. Default: none.
   */
  readonly jurisdiction?: Placement["jurisdiction"];
  /** On Cloudflare, near where a room's object is first made: a region, or a function of the room's name. Ignored elsewhere. Default: near its first client. */
  readonly locationHint?: Placement["locationHint"];
  /** Version of the state's shape, for `migrate`. Default: 0. */
  readonly version?: number;
}
