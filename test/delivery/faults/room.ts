/**
 * What is served while faults happen, on every runtime. A message is its kind, its client's name and its number: `s3:17`. It is published to long topics and to
 * one that keeps few, and answered. What hooks did is in the room's own logs and values, which tell afterwards how often they ran.
 */
import { defineHandler, type Connection } from "edgewire";
import { delivery } from "edgewire/delivery";

/** What its hook does first: `s` nothing, `a` it waits, `v` it counts in the room's values; `t` publishes to two topics at once, `x` to the others alone. */
export const kinds = ["s", "a", "v", "t", "x"] as const;

/** Entries of the topic `few`, which clients that are away too long have a gap in. */
export const few = 16;

/** Messages of one room, at most: a gap in any other topic is a fault. */
export const most = 10_000;

/** All that a room knows. */
export interface State {
  readonly all: readonly string[];
  readonly side: readonly string[];
  readonly few: readonly string[];
  /** `open ID` and `close ID`, in order. */
  readonly hooks: readonly string[];
  /** By client: its messages of the kind `v`. */
  readonly values: Readonly<Record<string, number>>;
}

type Served = Connection<{ readonly asks: boolean }>;

const long = { messages: most, bytes: 1024 ** 3 };

export const handler = defineHandler({
  binding: "ROOM",
  delivery: delivery({ window: 4096, maxInFlight: 8 }),
  history: { all: long, side: long, hooks: long, few: { messages: few } },
  upgrade(request) {
    const { pathname, search } = new URL(request.url);
    return { room: pathname.slice(1), state: { asks: search === "?state" } };
  },
  open(connection) {
    if (connection.state.asks) return;
    connection.room.publish("hooks", `open ${connection.id}`);
    for (const topic of ["all", "side", "few"]) connection.subscribe(topic, { history: true });
  },
  async message(connection, data) {
    if (connection.state.asks) return void connection.send(JSON.stringify(await stateOf(connection)));
    const text = textOf(data);
    if (text.startsWith("a")) await new Promise((resolve) => setTimeout(resolve, 2));
    if (text.startsWith("v")) await count(connection, text.slice(1).split(":")[0]!);
    apply(connection, data, text);
  },
  close(connection) {
    if (!connection.state.asks) connection.room.publish("hooks", `close ${connection.id}`);
  },
});

/** In one turn, and so stored together with what `count` has set. */
function apply(connection: Served, data: string | Uint8Array, text: string): void {
  const { id, room } = connection;
  room.publish(text.startsWith("t") ? ["all", "side"] : "all", data, text.startsWith("x") ? { except: id } : {});
  room.publish("few", `few ${text}`);
  connection.send(`answer ${id} ${text}`);
}

async function count({ room }: Served, client: string): Promise<void> {
  const counted = (await room.storage.get<number>(client)) ?? 0;
  void room.storage.set(client, counted + 1);
}

async function stateOf({ room }: Served): Promise<State> {
  const texts = (topic: string): string[] => room.history(topic).entries.map(({ data }) => textOf(data));
  const values = Object.fromEntries(await room.storage.list<number>());
  return { all: texts("all"), side: texts("side"), few: texts("few"), hooks: texts("hooks"), values };
}

function textOf(data: string | Uint8Array): string {
  return typeof data === "string" ? data : new TextDecoder().decode(data);
}
