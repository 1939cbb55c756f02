/** Connections that are about the handshake: random bytes, a valid request spoilt, one that never comes to its end. */
import { encodeRequest, sampleKey, type HeaderList } from "../wire/http.ts";
import type { Build, Family } from "./build.ts";
import { legalFrame } from "./frames.ts";

export const requestFamilies: readonly (readonly [number, string, Family])[] = [
  [2, "random bytes", randomBytes],
  [5, "spoilt handshake", spoiltHandshake],
  [2, "strange handshake", strangeHandshake],
  [1, "slow handshake", slowHandshake],
  [2, "left during upgrade", leftDuringUpgrade],
  [1, "plain request", plainRequest],
];

function randomBytes(build: Build): void {
  const { random } = build;
  build.on = random.pick(build.listeners);
  const make = random.pick([
    () => random.bytes(random.int(1, 2000)),
    () => Buffer.from(random.text(random.int(1, 500))),
    () => Buffer.from(`${random.text(random.int(1, 50))}\r\n${random.text(random.int(1, 50))}\r\n\r\n`),
    () => Buffer.from(`GET ${random.text(random.int(1, 50))} HTTP/1.1\r\n\r\n`),
    () => Buffer.from("\r\n".repeat(random.int(1, 100))),
    // The beginning of a TLS record, on whatever listener.
    () => Buffer.concat([Buffer.from([0x16, 3, random.int(0, 4), 0, random.int(0, 255), 1, 0, 0]), random.bytes(random.int(0, 300))]),
  ]);
  build.write("random bytes", make());
  build.leave("FIN in the handshake");
}

/** A valid request with bytes of it changed, left out, repeated or cut off. */
function spoiltHandshake(build: Build): void {
  const { random } = build;
  build.on = random.pick(["main", "protocols", "origins", "strict", "tight"]);
  // Its number may be spoilt too, and be another's.
  let bytes: Buffer = encodeRequest({ target: build.target({}, `${build.tag}-spoilt`), headers: someHeaders(build) }, "localhost");
  for (let count = random.int(1, 4); count > 0; count--) bytes = spoil(build, bytes);
  if (random.chance(0.2)) bytes = Buffer.concat([bytes, legalFrame(build)]);
  build.write("a spoilt handshake", bytes);
  if (random.chance(0.3)) {
    build.pause(20);
    build.write("a frame", legalFrame(build));
  }
  build.leave("FIN after a spoilt handshake");
}

function spoil({ random }: Build, bytes: Buffer): Buffer {
  const at = random.int(0, bytes.length);
  const to = Math.min(bytes.length, at + random.int(1, 20));
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  return random.pick([
    () => Buffer.concat([before, random.bytes(piece.length), after]),
    () => Buffer.concat([before, after]),
    () => Buffer.concat([before, piece, piece, after]),
    () =>
      Buffer.concat([
        before,
        Buffer.from(random.pick(["\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "é", "\r\n\r\n"])),
        bytes.subarray(at),
      ]),
    () =>
      Buffer.from(
        bytes.toString("latin1").replace(/[A-Za-z]/g, (letter) => (random.chance(0.5) ? letter.toUpperCase() : letter)),
        "latin1",
      ),
    () => before,
  ])();
}

/** Well-formed HTTP that no client should send. */
function strangeHandshake(build: Build): void {
  const { random } = build;
  const host = random.pick([
    "localhost",
    "",
    "user:password@localhost",
    "[::1",
    "a b",
    "%00",
    "x".repeat(300),
    "localhost:99999",
    "\u00e9",
  ]);
  const target = random.pick([
    build.target(),
    `http://user:password@localhost${build.target()}`,
    `ws://localhost${build.target()}`,
    `//${build.target()}`,
    "*",
    "localhost:80",
    "/%",
    `/${"%ff".repeat(20)}`,
    `/?upgrade=${encodeURIComponent(random.text(10))}`,
    `/?tag=${build.tag}&room=${"r".repeat(random.int(500, 530))}`,
    `/${"a".repeat(random.int(8000, 17_000))}`,
  ]);
  const method = random.pick(["GET", "GET", "POST", "CONNECT", "TRACE", "TRACK", "HEAD", "OPTIONS", "QUERY", "PRI", "get"]);
  const version = random.pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9"]);
  build.write("a strange handshake", encodeRequest({ method, target, version, headers: someHeaders(build) }, host));
  build.leave("FIN in the handshake");
}

function someHeaders({ random }: Build): HeaderList {
  const odd: readonly (readonly [string, string | null])[] = [
    ["Origin", random.pick(["null", "https://app.example", "http://localhost", "x", "http://[", random.text(20)])],
    ["Sec-WebSocket-Protocol", random.pick(["v1", "v2, v1", "a b@", ",", "v1, v1", ""])],
    ["Sec-WebSocket-Extensions", random.pick(["permessage-deflate", "permessage-deflate; client_max_window_bits=99", ";;=", "x"])],
    ["Sec-WebSocket-Key", random.pick([sampleKey, "", "short", random.text(24), null])],
    ["Sec-WebSocket-Version", random.pick(["13", "12", "", "13, 8", null])],
    ["Upgrade", random.pick(["websocket", "WebSocket, h2c", "h2c", "", null])],
    ["Connection", random.pick(["Upgrade", "keep-alive, Upgrade", "close", "", null])],
    ["Host", random.pick(["localhost", null])],
    ["Content-Length", random.pick(["0", "5", "-1", "99999999999999999999", "x"])],
    ["Transfer-Encoding", random.pick(["chunked", "gzip", "chunked, chunked"])],
    ["Expect", "100-continue"],
    ["Cookie", "c".repeat(random.int(0, 5000))],
    ["X-Latin1", "caf\u00e9 \u00ff"],
    ["__proto__", "x"],
  ];
  return odd.filter(() => random.chance(0.1));
}

/** Slow-loris: a valid handshake a few bytes at a time. Some come to their end, and then it is as good as any. */
function slowHandshake(build: Build): void {
  const { random } = build;
  const bytes = encodeRequest({ target: build.target() }, "localhost");
  const whole = random.chance(0.5);
  const part = whole ? bytes : bytes.subarray(0, random.int(1, bytes.length - 1));
  build.add({ type: "drip", what: "a slow handshake", bytes: part, step: random.int(5, 40), every: random.int(1, 25) });
  if (!whole) return build.leave("FIN in the handshake");
  build.add({ type: "accepted" });
  build.leave("FIN after the handshake");
}

/** The `upgrade` hook takes its time, and the client does not wait for it. */
function leftDuringUpgrade(build: Build): void {
  const { random } = build;
  build.on = random.pick(["main", "tight"]);
  const upgrade = random.pick([
    [
      ["sleep", random.int(1, 60)],
      ["accept", {}],
    ],
    [["never"]],
    [["reject", `tag=${build.tag}`]],
    [
      ["sleep", 20],
      ["throw", `tag=${build.tag}`],
    ],
  ]);
  // On `main` this one would take the whole ten seconds of its deadline.
  if (upgrade[0]![0] === "never") build.on = "tight";
  build.write("a handshake", encodeRequest({ target: build.target({ upgrade }) }, "localhost"));
  if (random.chance(0.2)) build.write("a frame before the 101", legalFrame(build));
  build.pause(60);
  build.leave("FIN while upgrade is pending");
}

/** Half a body, or one request after the other. */
function plainRequest(build: Build): void {
  const { random } = build;
  const body = random.text(random.int(0, 100));
  const plain = Buffer.from(`POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${random.pick([body.length, 1000])}\r\n\r\n${body}`);
  const repeated = Array.from({ length: random.int(1, 5) }, () => plain);
  build.write(
    "plain requests",
    Buffer.concat(random.chance(0.3) ? [...repeated, encodeRequest({ target: build.target() }, "localhost")] : repeated),
  );
  build.leave("FIN in the handshake");
}
