/** Plain requests: good ones, whose answer is known, and those that no client should send. */
import { text } from "../app/bodies.ts";
import { oddities, oddNames, throws, wayNames, type OddName, type Way } from "../app/odd.ts";
import { latecomers, middlewareNames } from "../app/app.ts";
import { wantedPath, type Wanted } from "../app/answer.ts";
import type { Make } from "./make.ts";
import type { Fate, Segment } from "./plan.ts";

/** A request whose answer is known. */
export function plainRequest(make: Make): Segment {
  const { random, ground, id } = make;
  const method = random.pick(["GET", "GET", "GET", "POST", "POST", make.uncertain ? "GET" : "HEAD", "PUT", "DELETE", "OPTIONS"]);
  const carries = method === "POST" || method === "PUT";
  const slow = random.chance(0.5);
  const reads = carries && random.chance(0.7);
  const wanted: Wanted = {
    id,
    size: random.weighted([
      [6, random.int(0, 200)],
      [fitsOnly(ground) ? 0 : 2, random.int(200, 20_000)],
      [fitsOnly(ground) ? 0 : 1, random.int(20_000, 300_000)],
    ]),
    ...(slow && random.chance(0.7) ? { wait: random.int(1, random.chance(0.1) ? 300 : 40) } : {}),
    ...(slow && random.chance(0.5) ? { pieces: random.int(1, 10) } : {}),
    ...(reads ? { reads } : {}),
    ...(ground.http !== "handler" && random.chance(0.05) && !ground.has("ignoresClose") ? { closes: true } : {}),
  };
  const old = random.chance(0.1);
  const kept = old && random.chance(0.5);
  const closes = wanted.closes === true || (old ? !kept : random.chance(0.05));
  const lines = [`${method} ${target(wanted, random.chance(0.1))} HTTP/1.${old ? 0 : 1}`, "Host: localhost"];
  if (kept) lines.push("Connection: keep-alive");
  else if (closes && !old && wanted.closes !== true) lines.push("Connection: close");
  const body = carries ? random.text(random.int(0, random.chance(0.2) ? 5000 : 100)) : "";
  const chunked = carries && !old && random.chance(0.5);
  if (chunked) lines.push("Transfer-Encoding: chunked");
  else if (carries) lines.push(`Content-Length: ${body.length}`);
  if (carries && !old && random.chance(0.2) && (make.index === 0 || !ground.has("continuesLate"))) lines.push("Expect: 100-continue");
  const handler = ground.http === "handler";
  return make.segment({
    what: `${method}${slow ? ", slow" : ""}${closes ? ", the last" : ""}`,
    type: "request",
    bytes: Buffer.concat([head(lines), Buffer.from(chunked ? chunksOf(make, body) : body)]),
    method,
    fate: "whole",
    statuses: handler ? [400, 405, 417, 426] : [200],
    body: handler ? undefined : text(id, wanted.size),
    sent: handler || !reads ? undefined : body.length,
    mayClose: old || (carries && (handler || !reads)),
    closes,
    slow: slow || reads,
  });
}

/** The application answers with something that no type allows, or never. */
export function oddRequest(make: Make): Segment {
  const { random, ground, id } = make;
  const method = random.chance(0.1) && !make.uncertain ? "HEAD" : "GET";
  const [wanted, fate, statuses, body] = random.chance(0.1)
    ? ([{ id, size: 0, never: random.pick(["answers", "ends"] as const) }, "endless", undefined, undefined] as const)
    : oddWanted(make);
  const known = ground.http === "fetch";
  return make.segment({
    what: `${method} that gets ${JSON.stringify(wanted.odd ?? wanted.never)}`,
    type: "request",
    bytes: head([`${method} ${target(wanted, false)} HTTP/1.1`, "Host: localhost"]),
    method,
    fate: ground.http === "handler" ? "whole" : fate === "whole" && !known ? "any" : fate,
    statuses: known ? statuses : undefined,
    body: known && method === "GET" ? body : undefined,
    slow: true,
  });
}

/** In a Hono app, with middleware in front. */
export function middlewareRequest(make: Make): Segment {
  const { random, id } = make;
  const wanted: Wanted = { id, size: random.int(0, 3000) };
  const [query, fate] = pickMiddleware(make);
  return make.segment({
    what: `GET behind ${query}`,
    type: "request",
    bytes: head([`GET ${target(wanted, false)}&${query} HTTP/1.1`, "Host: localhost"]),
    fate,
    slow: true,
  });
}

/** A query for the app's middleware. */
export function pickMiddleware(make: Make): readonly [string, Fate] {
  const { random, ground } = make;
  const late = ground.on === "bare" && ground.has("endsForLate");
  const name = random.pick(late ? middlewareNames.filter((one) => !latecomers.has(one)) : middlewareNames);
  const query = new URLSearchParams({ mw: name });
  if (!name.startsWith("odd")) return [String(query), name === "never after" ? "endless" : "any"];
  const [odd, way] = pickOdd(make, !ground.edgewire);
  query.set("mwodd", JSON.stringify([odd, way]));
  return [String(query), mild(oddities[odd].fate)];
}

/** Whether an answer must fit into the socket's buffer. */
function fitsOnly(ground: Make["ground"]): boolean {
  return ground.on === "tls" && ground.has("pausesTls");
}

/** `mildly`: what any platform takes from an application of its own. */
export function pickOdd({ random, ground }: Make, mildly: boolean): readonly [OddName, Way] {
  const fits = ({ fate, size }: (typeof oddities)[OddName]): boolean => !fitsOnly(ground) || (fate !== "endless" && size < 10_000);
  const names = oddNames.filter((name) => fits(oddities[name]) && (!mildly || oddities[name].fate === "whole"));
  const way = random.weighted([[10, "return" as Way], ...wayNames.map((one) => [1, one] as const)]);
  return [random.pick(names), mildly && throws(way) ? "return" : way];
}

/** What holds of an answer of which nobody knows whose it will be. */
export function mild(fate: (typeof oddities)[OddName]["fate"]): Fate {
  return fate === "endless" || fate === "garbled" || fate === "broken" ? fate : "any";
}

function oddWanted(make: Make): readonly [Wanted, Fate, readonly number[] | undefined, string | undefined] {
  const { ground, id } = make;
  const odd = pickOdd(make, !ground.edgewire || ground.http === "own");
  const [name, way] = odd;
  const { fate, status, size } = oddities[name];
  const wanted = { id, size: 0, odd };
  // Not even a Response may be thrown here.
  if (throws(way)) return [wanted, "whole", [500], undefined];
  if (fate === "whole") return [wanted, "whole", [status], text(id, size)];
  if (fate === "unsendable" || fate === "nothing") return [wanted, "whole", [500], undefined];
  return [wanted, fate, undefined, undefined];
}

/** Well-formed, or nearly so, and unusual. */
export function strangeRequest(make: Make): Segment {
  const { random, ground, id } = make;
  const path = target({ id, size: 10 }, false);
  const lines = random.pick([
    () => ["OPTIONS * HTTP/1.1", "Host: localhost"],
    () => ["CONNECT localhost:80 HTTP/1.1", "Host: localhost:80"],
    () => [`TRACE ${path} HTTP/1.1`, "Host: localhost"],
    () => [`GET http://other.example${path} HTTP/1.1`, "Host: localhost"],
    () => [`GET ${path} HTTP/1.1`],
    () => [`GET ${path} HTTP/1.1`, "Host: a", "Host: b"],
    () => [`GET ${path} HTTP/1.1`, "Host: a b"],
    () => [`QUERY ${path} HTTP/1.1`, "Host: localhost"],
    () => [`GET ${path} HTTP/1.1`, "Host: localhost", "Expect: the impossible"],
    () => [`GET //${path} HTTP/1.1`, "Host: localhost"],
    () => [`GET /%zz${path} HTTP/1.1`, "Host: localhost", "TE: trailers", "Connection: TE, keep-alive"],
    () => [`POST ${path} HTTP/1.1`, "Host: localhost", "Content-Length: 0", "Content-Encoding: gzip"],
    () => [`GET ${path} HTTP/1.1`, "Host: localhost", ...Array.from({ length: 60 }, (_, index) => `X-${index}: ${random.text(20)}`)],
    () => [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      "Upgrade: h2c",
      "Connection: Upgrade, HTTP2-Settings",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
    ],
    () => [`GET ${path} HTTP/1.1`, "Host: localhost", "Upgrade: something/1", "Connection: upgrade"],
    () => [`GET ${path} HTTP/1.1`, "Host: localhost", "Upgrade: websocket"],
  ])();
  const upgrades = ground.has("losesBehindUpgrade") && lines.some((line) => line.startsWith("Upgrade"));
  return make.segment({
    what: lines[0]!,
    type: "request",
    bytes: head(lines),
    method: lines[0]!.split(" ")[0]!,
    fate: lines[0]!.startsWith("CONNECT") || upgrades ? "garbled" : "any",
    blurs: ground.has("interrupts") || upgrades,
    slow: true,
  });
}

/** What is no request, or one that is too large. */
export function noise(make: Make): Segment {
  const { random, id } = make;
  const path = target({ id, size: 10 }, false);
  const bytes = random.pick([
    () => head([random.text(random.int(1, 60)), random.text(random.int(1, 60))]),
    () => random.bytes(random.int(1, 300)),
    () => head(["PRI * HTTP/2.0"]),
    () => head([`GET ${path} HTTP/1.1`, "Host: localhost", `X: ${"x".repeat(random.pick([17_000, 70_000, 200_000]))}`]),
    () => head([`GET /${"x".repeat(random.pick([17_000, 70_000]))} HTTP/1.1`, "Host: localhost"]),
    () => head([`GET ${path} HTTP/1.1`, "Host: localhost", `${random.text(5)}\0${random.text(5)}`]),
    () => head([`GET ${path} HTTP/1.1`, "Host: localhost", " folded: 1"]),
    () => head([`GET ${path} HTTP/9.9`, "Host: localhost"]),
    () => head([`POST ${path} HTTP/1.1`, "Host: localhost", "Content-Length: 5", "Transfer-Encoding: chunked"]),
    () => head([`POST ${path} HTTP/1.1`, "Host: localhost", "Content-Length: 5", "Content-Length: 6"]),
    () => head([`POST ${path} HTTP/1.1`, "Host: localhost", "Content-Length: -5"]),
    () => Buffer.concat([head([`POST ${path} HTTP/1.1`, "Host: localhost", "Transfer-Encoding: chunked"]), Buffer.from("zz\r\nxx\r\n")]),
    () => Buffer.concat([head([`POST ${path} HTTP/1.1`, "Host: localhost", "Content-Length: 1000"]), Buffer.from("not a thousand")]),
    // The head of a request without an end, for as long as the server waits.
    () => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: loc`),
  ])();
  return make.segment({ what: "noise", type: "noise", bytes, fate: "any", blurs: true, slow: true });
}

/** Chunks of random sizes, with extensions and trailers now and then. */
function chunksOf({ random, ground }: Make, body: string): string {
  let chunks = "";
  for (let at = 0; at < body.length;) {
    const part = body.slice(at, at + random.int(1, Math.max(1, body.length)));
    chunks += `${part.length.toString(16)}${random.chance(0.1) ? ";a=b" : ""}\r\n${part}\r\n`;
    at += part.length;
  }
  return `${chunks}0\r\n${!ground.has("noTrailers") && random.chance(0.1) ? "X-Trailer: 1\r\n" : ""}\r\n`;
}

export function target(wanted: Wanted, absolute: boolean): string {
  return `${absolute ? "http://localhost" : ""}${wantedPath}?wanted=${encodeURIComponent(JSON.stringify(wanted))}`;
}

export function head(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
