/**
 * What an application may answer with, or throw, that no type allows or nobody expects. Runs on every runtime. `odd` is called by the
 * application, `oddities` is read by the fuzzer: it says what becomes of each.
 */
import { duck, endless, failing, own, text } from "./bodies.ts";

/**
 * What must become of it. `whole`: this status and body. `broken`: the body fails, so the answer must not look complete. `endless`: it never
 * ends by itself. `unsendable`: no answer can be made of it. `nothing`: no Response at all. `any`: it is up to the runtime, but for what holds for any answer. `garbled`: the
 * application lied about its length, and no reader can tell where the next answer begins.
 */
export type Fate = "whole" | "broken" | "endless" | "unsendable" | "nothing" | "any" | "garbled";

interface Oddity {
  readonly fate: Fate;
  readonly status: number;
  /** How long the body is, where it is `text`. */
  readonly size: number;
  /** By `id`, which the answer must carry in its header `x-fuzz`. */
  make(id: string): unknown;
}

const made = (fate: Fate, make: (id: string) => unknown, status = 200, size = 0): Oddity => ({ fate, status, size, make });
/** A Response of the platform's own with this status, body and more. */
const whole = (status: number, size: number, init: ResponseInit = {}): Oddity =>
  made("whole", (id) => own(id, size === 0 ? null : text(id, size), { ...init, status }), status, size);

/** One for all requests, as a constant of a module is: its body can be sent once. */
let shared: Response | undefined;

export const oddities = {
  "204": whole(204, 0),
  "205": whole(205, 0),
  "304": whole(304, 0),
  "404 without a body": whole(404, 0),
  "418": whole(418, 10),
  "599": whole(599, 100, { statusText: "no such thing" }),
  "503 at length": whole(503, 100_000),
  // A refusal may have no more than 1 MiB.
  huge: whole(200, 1_000_000),
  "too huge for a refusal": made("any", (id) => own(id, text(id, 3_000_000), {}), 200, 3_000_000),
  "a statusText with Latin-1": whole(402, 10, { statusText: "caf\u00e9" }),
  "headers with Latin-1": whole(200, 10, { headers: { "x-latin": "caf\u00e9 \u00ff" } }),
  "many headers": whole(200, 10, { headers: Array.from({ length: 40 }, (_, index) => ["set-cookie", `c${index}=${"v".repeat(50)}`]) }),
  "connection: close": made("any", (id) => own(id, "closes", { headers: { connection: "close" } })),
  "connection: keep-alive": made("any", (id) => own(id, "kept", { headers: { connection: "keep-alive", "keep-alive": "timeout=100" } })),
  "connection: upgrade": made("any", (id) => own(id, "up", { headers: { connection: "upgrade", upgrade: "websocket" } })),
  "transfer-encoding": made("any", (id) => own(id, "te", { headers: { "transfer-encoding": "chunked" } })),
  "content-length too small": made("garbled", (id) => own(id, text(id, 100), { headers: { "content-length": "5" } })),
  "content-length too large": made("garbled", (id) => own(id, text(id, 100), { headers: { "content-length": "500" } })),
  "content-length of nonsense": made("garbled", (id) => own(id, text(id, 100), { headers: { "content-length": "-1, x" } })),
  "headers of the handshake": made("any", (id) =>
    own(id, "ws", {
      headers: { "sec-websocket-accept": "x", "sec-websocket-protocol": "v1", "sec-websocket-extensions": "permessage-deflate" },
    }),
  ),
  "an early trailer": made("any", (id) => own(id, "t", { headers: { trailer: "x-late", te: "trailers", date: "yesterday" } })),
  "a stream": made("whole", (id) => own(id, failing(text(id, 1000), "never"), {}), 200, 1000),
  "a copy": made("whole", (id) => own(id, text(id, 500), {}).clone(), 200, 500),
  redirect: made("any", () => Response.redirect("http://localhost/elsewhere", 302)),
  "of a subclass": made("whole", (id) => new (class extends Response {})(text(id, 20), { headers: { "x-fuzz": id } }), 200, 20),
  "with properties of its own": made(
    "whole",
    (id) => Object.assign(own(id, text(id, 20), {}), { status2: 1, toString: () => "x" }),
    200,
    20,
  ),

  "fails at once": made("broken", (id) => own(id, failing("", new Error("secret: body")), {})),
  "fails midway": made("broken", (id) => own(id, failing(text(id, 1000), new Error("secret: body")), {})),
  "fails midway with nothing": made("broken", (id) => own(id, failing(text(id, 1000), undefined), {})),
  "fails midway with null": made("broken", (id) => own(id, failing(text(id, 1000), null), { status: 403 }), 403),
  "fails midway with a text": made("broken", (id) => own(id, failing(text(id, 1000), "secret: body"), {})),
  "a chunk that is no bytes": made("broken", (id) => own(id, failing(["text", 1, null, {}], "never"), {})),
  "no end": made("endless", (id) => own(id, endless(id, text(id, 100)), {})),
  "no end of much": made("endless", (id) => own(id, endless(id, text(id, 50_000)), {})),
  "no beginning": made("endless", (id) => own(id, endless(id, ""), {})),

  "body used": made("unsendable", (id) => {
    const response = own(id, text(id, 20), {});
    void response.text();
    return response;
  }),
  "body locked": made("unsendable", (id) => {
    const response = own(id, text(id, 20), {});
    response.body?.getReader();
    return response;
  }),
  "body cancelled": made("unsendable", (id) => {
    const response = own(id, text(id, 20), {});
    void response.body?.cancel();
    return response;
  }),
  // The first one may be sent.
  shared: made("any", (id) => (shared ??= new Response(text(id, 10), { status: 403 }))),
  "Response.error()": made("unsendable", () => Response.error()),
  "101": made("any", (id) => own(id, null, { status: 101 })),
  "999": made("any", (id) => own(id, null, { status: 999 })),
  "204 with a body": made("any", (id) => duck(id, { status: 204, body: failing("x", "never") })),
  "304 with a body": made("any", (id) => duck(id, { status: 304, body: failing("x", "never") })),

  "looks like 101": made("any", (id) => duck(id, { status: 101 })),
  "looks like 0": made("any", (id) => duck(id, { status: 0 })),
  "looks like -1": made("any", (id) => duck(id, { status: -1 })),
  "looks like 1000": made("any", (id) => duck(id, { status: 1000 })),
  "looks like 200.5": made("any", (id) => duck(id, { status: 200.5 })),
  "looks like NaN": made("any", (id) => duck(id, { status: Number.NaN })),
  "status of a text": made("any", (id) => duck(id, { status: "200 OK\r\nx-split: 1" })),
  "status of nothing": made("any", (id) => duck(id, { status: null })),
  "statusText with a line": made("any", (id) => duck(id, { statusText: "OK\r\nx-split: 1" })),
  "statusText beyond Latin-1": made("any", (id) => duck(id, { statusText: "snow \u2603" })),
  "headers with a line": made("any", (id) => duck(id, { headers: new Map([["x-a", "b\r\nx-split: 1"]]) })),
  "headers beyond Latin-1": made("any", (id) => duck(id, { headers: new Map([["x-a", "snow \u2603"]]) })),
  "headers without names": made("any", (id) =>
    duck(id, {
      headers: new Map([
        ["", "x"],
        ["a b", "y"],
      ]),
    }),
  ),
  "headers of null": made("any", (id) => duck(id, { headers: null })),
  "headers of a list": made("any", (id) => duck(id, { headers: [["x-a", "b"]] })),
  "no headers": made("any", (id) => duck(id, { headers: undefined })),
  "body of a text": made("any", (id) => duck(id, { body: "text" })),
  "body of a number": made("any", (id) => duck(id, { body: 1 })),
  "body of bytes": made("any", (id) => duck(id, { body: new Uint8Array(3) })),
  "throws for its status": made("any", (id) => thrower(duck(id, {}), "status")),
  "throws for its headers": made("any", (id) => thrower(duck(id, {}), "headers")),
  "throws for its body": made("any", (id) => thrower(duck(id, {}), "body")),
  "proxy of a Response": made("any", (id) => new Proxy(own(id, text(id, 20), {}), {})),
  "of another realm": made("any", (id) => realm(id)),

  undefined: made("nothing", () => undefined),
  null: made("nothing", () => null),
  number: made("nothing", () => 42),
  NaN: made("nothing", () => Number.NaN),
  bigint: made("nothing", () => 1n),
  text: made("nothing", () => "text"),
  true: made("nothing", () => true),
  symbol: made("nothing", () => Symbol("fuzz")),
  function: made("nothing", () => () => {}),
  array: made("nothing", () => [1, 2]),
  date: made("nothing", () => new Date(0)),
  error: made("nothing", () => new Error("secret: an error")),
  object: made("nothing", () => ({})),
  "object of null": made("nothing", () => Object.create(null)),
  "object that throws": made("nothing", () => thrower({}, "room")),
  "object that throws for all": made("nothing", () => new Proxy({}, hostile)),
  "revoked proxy": made("nothing", () => revoked()),
  "error that throws": made("nothing", () => thrower(thrower(thrower(new Error("x"), "message"), "stack"), "name")),
  "object without a text": made("nothing", () => ({ toString: () => ({}), valueOf: () => ({}), [Symbol.toPrimitive]: 1 })),
  "stack of a number": made("nothing", () => Object.assign(new Error("x"), { stack: 1 })),
  "error in a circle": made("nothing", () => circle()),
  request: made("nothing", () => new Request("http://localhost/")),
  headers: made("nothing", () => new Headers({ a: "b" })),
  stream: made("nothing", () => new ReadableStream()),
} satisfies Record<string, Oddity>;
export type OddName = keyof typeof oddities;
export const oddNames = Object.keys(oddities) as OddName[];

/** How it is handed over. */
export const ways = {
  return: (make: () => unknown) => make(),
  resolve: async (make: () => unknown) => make(),
  late: (make: () => unknown) => new Promise((resolve) => setTimeout(resolve, 10)).then(make),
  throw: (make: () => unknown) => {
    throw make();
  },
  reject: (make: () => unknown) => Promise.reject(make()),
  "reject late": (make: () => unknown) =>
    new Promise((resolve) => setTimeout(resolve, 10)).then(() => {
      throw make();
    }),
  thenable: (make: () => unknown) => thenable((resolve) => resolve(make())),
  "thenable twice": (make: () => unknown) =>
    thenable((resolve, reject) => {
      resolve(make());
      resolve(make());
      reject(make());
      throw make();
    }),
  "thenable late": (make: () => unknown) => {
    const value = make();
    return thenable((resolve) => void setTimeout(() => resolve(value), 5));
  },
  "thenable that throws": (make: () => unknown) =>
    thenable(() => {
      throw make();
    }),
  "then that throws": (make: () => unknown) => {
    const get = (): never => {
      throw make();
    };
    return Object.defineProperty({}, then, { get });
  },
  "promise of a promise": (make: () => unknown) => Promise.resolve(thenable((resolve) => resolve(Promise.resolve(make())))),
} satisfies Record<string, (make: () => unknown) => unknown>;
export type Way = keyof typeof ways;
export const wayNames = Object.keys(ways) as Way[];

/** Whether what is made is thrown, or rejected with. */
export const throws = (way: Way): boolean => ["throw", "reject", "reject late", "thenable that throws", "then that throws"].includes(way);

/** What `upgrade`, `fetch` or middleware does. */
export function odd(name: OddName, way: Way, id: string): unknown {
  return ways[way](() => oddities[name].make(id));
}

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void;

/** Not literally: no linter is to think that it is a thenable by mistake. */
const then = ["th", "en"].join("");

function thenable(value: Then): object {
  return Object.defineProperty({}, then, { value });
}

function thrower<T extends object>(target: T, name: string): T {
  return Object.defineProperty(target, name, {
    get() {
      throw new Error(`secret: no ${name}`);
    },
    configurable: true,
  });
}

const refuseAll = (): never => {
  throw new Error("secret: proxy");
};
const hostile: ProxyHandler<object> = {
  get: refuseAll,
  has: refuseAll,
  ownKeys: refuseAll,
  getPrototypeOf: refuseAll,
  getOwnPropertyDescriptor: refuseAll,
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circle(): Error {
  const error = new Error("x");
  error.cause = error;
  return error;
}

/** Another library's Response, where there is one. */
let other: typeof Response | undefined;
export function provideRealm(given: typeof other): void {
  other = given;
}

function realm(id: string): unknown {
  return other === undefined ? own(id, text(id, 10), {}) : new other(text(id, 10), { headers: { "x-fuzz": id } });
}
