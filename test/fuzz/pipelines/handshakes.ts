/** Handshakes: accepted, refused by the checks, by the hook, by an app, or answered by what no type allows; and the frames behind them. */
import { closePayload, Opcode } from "../../wire/frames.ts";
import { encodeRequest, type HeaderList } from "../../wire/http.ts";
import { text } from "../app/bodies.ts";
import { oddities, throws, type OddName, type Way } from "../app/odd.ts";
import { frameOf } from "../frames.ts";
import type { Make } from "./make.ts";
import { peerOf, type Fate, type Segment } from "./plan.ts";
import { mild, pickMiddleware, pickOdd } from "./requests.ts";

interface Answered {
  readonly statuses?: readonly number[] | undefined;
  readonly fate?: Fate;
  readonly body?: string | undefined;
  readonly slow?: boolean;
  readonly blurs?: boolean;
}

export function goodHandshake(make: Make): Segment {
  return handshake(make, "a handshake", {}, [], { statuses: [101] });
}

/** The `upgrade` hook takes its time, and then accepts or refuses. */
export function slowHandshake(make: Make): Segment {
  const { random } = make;
  const [script, status] = random.pick([
    () =>
      [
        [
          ["sleep", random.int(1, 40)],
          ["accept", {}],
        ],
        101,
      ] as const,
    () =>
      [
        [
          ["sleep", random.int(1, 40)],
          ["refuse", { status: 403, body: "no\n" }],
        ],
        403,
      ] as const,
    () =>
      [
        [
          ["sleep", random.int(1, 40)],
          ["throwResponse", { status: 401 }],
        ],
        401,
      ] as const,
    () =>
      [
        [
          ["sleep", random.int(1, 40)],
          ["throw", "secret: upgrade"],
        ],
        500,
      ] as const,
    () => [[["refuse", { status: 402, body: "x".repeat(random.int(0, 5000)) }]], 402] as const,
    () => [[["reject", "secret: upgrade"]], 500] as const,
    // Refused after a second.
    () => [[[random.chance(0.1) ? "never" : "nothing"]], undefined] as const,
  ])();
  const statuses = status === undefined ? [101, 500, 503] : [status];
  return handshake(make, `a handshake that ${JSON.stringify(script).slice(0, 40)}`, { upgrade: JSON.stringify(script) }, [], {
    statuses,
    slow: true,
  });
}

export function refusedHandshake(make: Make): Segment {
  const { random } = make;
  const [headers, method = "GET"] = random.pick<readonly [HeaderList, string?]>([
    [[["Sec-WebSocket-Version", random.pick(["12", "8", "", "13, 13"])]]],
    [[["Sec-WebSocket-Key", random.pick([null, "short", "x".repeat(24)])]]],
    [[["Origin", "http://evil.example"]]],
    [[["Sec-WebSocket-Protocol", "a b@"]]],
    [[["Expect", "100-continue"]]],
    [[["Content-Length", "5"]]],
    [[], "POST"],
  ]);
  // A body that is announced and does not come: what follows is taken for it.
  const whole = !headers.some(([name]) => name === "Content-Length" || name === "Expect");
  const statuses = whole ? [400, 403, 405, 426, ...(method === "POST" ? [200, 404] : [])] : undefined;
  return handshake(
    make,
    `a bad handshake, ${method} ${JSON.stringify(headers)}`,
    {},
    headers,
    { statuses, fate: whole ? "whole" : "any", blurs: !whole },
    method,
  );
}

/** To a path that nobody takes, or that several do. */
export function lostHandshake(make: Make): Segment {
  // Another library answers where it is asked, whether or not earlier requests are answered.
  const paths = [
    ...(make.index === 0 ? ["/other"] : []),
    "/nobody",
    "/second",
    "/ws",
    "/%2e",
    "//",
    ...(make.ground.on === "bare" ? [] : ["/twice"]),
  ];
  const path = make.random.pick(paths);
  return handshake(make, `a handshake to ${path}`, {}, [], { fate: "any", slow: true }, "GET", path);
}

/** What `upgrade` returns is odd. */
export function oddHandshake(make: Make): Segment {
  const { ground } = make;
  const odd = pickOdd(make, false);
  const answered = oddAnswer(...odd, make.id);
  // An app turns what its routes return into a Response by its own rules.
  const known =
    !ground.app || answered.statuses === undefined
      ? answered
      : { ...answered, statuses: undefined, fate: answered.fate === "whole" ? ("any" as const) : answered.fate! };
  return handshake(make, `a handshake that gets ${JSON.stringify(odd)}`, { odd: JSON.stringify(odd) }, [], { ...known, slow: true });
}

function oddAnswer(name: OddName, way: Way, id: string): Answered & { readonly fate: Fate } {
  const { fate, status, size } = oddities[name];
  if (fate === "whole") return { fate, statuses: [status], body: text(id, size) };
  if (fate === "unsendable") return { fate: "whole", statuses: [500] };
  if (fate === "nothing") return { fate: "whole", statuses: throws(way) ? [500] : [101, 500] };
  return { fate: mild(fate) };
}

/** Middleware of an app does something odd before the handshake, or after it was accepted. */
export function middlewareHandshake(make: Make): Segment {
  const [query, fate] = pickMiddleware(make);
  return handshake(make, `a handshake behind ${query}`, Object.fromEntries(new URLSearchParams(query)), [], { fate, slow: true });
}

function handshake(
  make: Make,
  what: string,
  parameters: Record<string, string>,
  headers: HeaderList,
  answered: Answered,
  method = "GET",
  path = make.ground.path,
): Segment {
  const { random, ground, id, tag } = make;
  const peer = peerOf(make.number, make.index);
  const query = new URLSearchParams({ tag, peer: String(peer), room: `${tag}-${random.int(0, 3)}`, hello: "1", id, ...parameters });
  const { fate = "whole", statuses, body, slow = false, blurs = false } = answered;
  const full = ground.few && statuses !== undefined ? [503] : [];
  return make.segment({
    what,
    type: "handshake",
    bytes: encodeRequest({ method, target: `${path}?${query}`, headers }, "localhost"),
    method,
    fate,
    statuses: statuses === undefined ? undefined : [...statuses, ...full],
    body,
    slow,
    blurs,
  });
}

/** Messages, pings and, now and then, a close. */
export function framesBehind(make: Make): Segment {
  const { random } = make;
  const texts: string[] = [];
  const parts: Buffer[] = [];
  for (let count = random.int(1, 5); count > 0; count--) {
    if (random.chance(0.2)) {
      parts.push(frameOf(random, { opcode: Opcode.ping, payload: random.text(random.int(0, 125)) }));
      continue;
    }
    const message = `${make.id} ${count} ${random.text(random.int(0, 300))}`;
    texts.push(message);
    parts.push(frameOf(random, { opcode: Opcode.text, payload: message }));
  }
  const closes = random.chance(0.15);
  if (closes) parts.push(frameOf(random, { opcode: Opcode.close, payload: closePayload(1000) }));
  return make.segment({
    what: `frames${closes ? " and a close" : ""}`,
    type: "frames",
    bytes: Buffer.concat(parts),
    fate: "any",
    blurs: true,
    texts,
    closes,
  });
}
