/**
 * What the killed servers run: everything that a room keeps, shown to clients in every way. Each message is an order, answered when it is done. A
 * control frame is "!" and JSON. Any other frame is a message of a topic, as `contentOf` has it.
 */
import { defineHandler, type Connection, type History, type Replay } from "edgewire";
import { bounds, topicNames, type TopicName } from "./topics.ts";

/** `[number, what, …arguments]`. */
export type Order =
  | readonly [number, "state"]
  | readonly [number, "join", after: Readonly<Partial<Record<TopicName, string>>>]
  | readonly [number, "publish", topics: readonly TopicName[], id: string, kind: Kind, size: number]
  | readonly [number, "count", key: string]
  | readonly [number, "set", key: string, value: number]
  | readonly [number, "both"];

export type Kind = "text" | "bytes";

/** What a control frame says. */
export type Control =
  | readonly ["done", number, unknown]
  /** The topic's history follows, and then `joined`. */
  | readonly ["joins", TopicName]
  | readonly ["joined", TopicName, Replay]
  /** The value is stored. */
  | readonly ["value", key: string, value: number];

/** All that a room keeps. An entry is `[position, signature]`. */
export interface State {
  readonly topics: Readonly<Record<TopicName, Omit<History, "entries"> & { readonly entries: readonly (readonly [string, string])[] }>>;
  readonly values: Readonly<Record<string, number>>;
}

export const killed = defineHandler({
  history: {
    few: bounds.few,
    many: bounds.many,
    heavy: bounds.heavy,
    placed: {
      ...bounds.placed,
      encode({ topic, position, data }) {
        const place = `@${topic}\n${position}\n`;
        return typeof data === "string" ? place + data : bytesOf(place + textOf(data));
      },
    },
  },
  upgrade: (request) => ({ room: new URL(request.url).searchParams.get("room") ?? "" }),
  async message(connection, data) {
    const [number, ...order] = JSON.parse(String(data)) as Order;
    const result = await obey(connection, order);
    control(connection, ["done", number, result]);
  },
});

type Rest<T> = T extends readonly [number, ...infer More] ? More : never;

async function obey(connection: Connection, order: Rest<Order>): Promise<unknown> {
  const { room } = connection;
  switch (order[0]) {
    case "state":
      return stateOf(connection);
    case "join":
      return join(connection, order[1]);
    case "publish": {
      const [, topics, id, kind, size] = order;
      const content = contentOf(id, topics, size);
      return room.publish(topics.length === 1 ? topics[0]! : topics, kind === "text" ? content : bytesOf(content));
    }
    case "count": {
      const value = await room.storage.update<number>(order[1], (before = 0) => before + 1);
      return control(connection, ["value", order[1], value!]);
    }
    case "set": {
      const [, key, value] = order;
      await room.storage.set(key, value);
      // In the turn that has written it.
      return void room.broadcast(`!${JSON.stringify(["value", key, value] satisfies Control)}`);
    }
    case "both": {
      const value = await room.storage.transaction(async (values) => {
        const next = ((await values.get<number>("left")) ?? 0) + 1;
        await values.set("left", next);
        await values.set("right", next);
        return next;
      });
      control(connection, ["value", "left", value]);
      return control(connection, ["value", "right", value]);
    }
  }
}

/** In one turn: the topics' offsets belong together. */
function join(connection: Connection, after: Readonly<Partial<Record<TopicName, string>>>): void {
  for (const topic of topicNames) {
    const position = after[topic];
    control(connection, ["joins", topic]);
    const replay = connection.subscribe(topic, { history: position === undefined ? true : { after: position } });
    control(connection, ["joined", topic, replay]);
  }
}

async function stateOf({ room }: Connection): Promise<State> {
  const topics = topicNames.map((topic) => {
    const { entries, ...rest } = room.history(topic);
    const shown = entries.map(({ position, data }) => [position, signatureOf(data)]);
    return [topic, { ...rest, entries: shown }];
  });
  return { topics: Object.fromEntries(topics), values: Object.fromEntries(await room.storage.list<number>()) };
}

function control(connection: Connection, what: Control): void {
  connection.send(`!${JSON.stringify(what)}`);
}

/** A message: its id and its topics in a line, and then as many letters. */
export function contentOf(id: string, topics: readonly string[], size: number): string {
  return `${id} ${topics.join()}\n${"x".repeat(size)}`;
}

/** Tells messages apart by what they say and how. */
export function signatureOf(data: string | Uint8Array): string {
  const [text, kind] = typeof data === "string" ? [data, "text"] : [textOf(data), "bytes"];
  const line = text.indexOf("\n");
  const letters = text.slice(line + 1);
  return `${text.slice(0, line)} ${kind} ${/^x*$/.test(letters) ? letters.length : "broken"}`;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
