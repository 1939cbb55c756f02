/**
 * The application that is attacked. What its hooks do stands in the handshake's URL, and each `open` and `close` is a line of its log,
 * as in test/support/handler.ts; here `upgrade` may also return what no type allows.
 */
import { defineHandler, type Connection, type Handler } from "edgewire";
import type { Report } from "../../support/handler.ts";
import { runScript, runUpgrade, type Script, type UpgradeStep } from "../../support/script.ts";
import { odd, type OddName, type Way } from "./odd.ts";

/** One for each set of options; a listener serves one of them. */
export const handlerNames = ["main", "few", "cross"] as const;
export type HandlerName = (typeof handlerNames)[number];

/** How many connections `few` takes. */
export const fewConnections = 12;
/** Short, so that what never answers is over soon; not too short for a busy machine, since Node's headersTimeout is one of them. */
const deadlines = { upgradeTimeout: 5000, closeTimeout: 2000 };
const options: Record<HandlerName, Handler> = {
  main: deadlines,
  few: { ...deadlines, upgradeTimeout: 3000, maxConnections: fewConnections },
  cross: {
    ...deadlines,
    // The last that could still be told of a failure fails, too.
    error(_, { hook }) {
      if (hook === "upgrade") throw new Error("secret: the error hook");
      return Promise.reject(new Error("secret: the error hook"));
    },
  },
};

/** Of a handshake that no attacker sent as it came: the log knows nobody by a negative number. */
const nobody = -3;

export type FuzzHandler = ReturnType<typeof defineHandler>;

export interface HandlerOptions {
  readonly report?: Report;
  /** The handler's Durable Object binding. */
  readonly binding?: string;
}

export function createHandler(name: HandlerName, { report = (line) => console.log(line), binding }: HandlerOptions = {}): FuzzHandler {
  const note = (connection: Connection, hook: string): void => {
    const { searchParams } = new URL(connection.url);
    const [tag, peer] = [searchParams.get("tag"), Number(searchParams.get("peer") ?? nobody)];
    report(`@@${JSON.stringify({ tag, peer, handler: name, id: connection.id, hook })}`);
  };
  return defineHandler({
    error: () => {},
    ...options[name],
    ...(binding === undefined ? {} : { binding }),
    upgrade: (request) => decide(new URL(request.url).searchParams) as object,
    open(connection) {
      note(connection, "open");
      const { searchParams } = new URL(connection.url);
      if (searchParams.has("hello")) connection.send(`hello ${searchParams.get("peer")}`);
      return run(connection, "open", undefined);
    },
    message: (connection, data) => run(connection, "message", data),
    close: (connection) => note(connection, "close"),
  });
}

function decide(query: URLSearchParams): unknown {
  const given = query.get("odd");
  if (given !== null) {
    const [name, way] = JSON.parse(given) as [OddName, Way];
    return odd(name, way, query.get("id") ?? "");
  }
  const room = query.get("room") ?? "lobby";
  const script = JSON.parse(query.get("upgrade") ?? '[["accept",{}]]') as readonly UpgradeStep[];
  return runUpgrade(script.map((step) => (step[0] === "accept" ? ["accept", { room, ...step[1] }, step[2]] : step)));
}

/** A message is echoed, unless the client says that it is a script (neighbour.ts). */
function run(connection: Connection, hook: "open" | "message", data: string | Uint8Array | undefined): void | Promise<void> {
  const script = new URL(connection.url).searchParams.get(hook);
  if (script === null) return data === undefined ? undefined : void connection.send(data);
  return runScript(JSON.parse(script === "run" ? String(data) : script) as Script, connection, data as never, () => {});
}
