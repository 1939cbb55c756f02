/** What a connection, its room and `rooms` say of themselves to a log: JSON, what a spread has, and the runtime's own `console.log`. */
import type { Connection } from "edgewire";

/** The name of a variable of the environment, and its value, which nothing may show. */
export const secretName = "EDGEWIRE_SECRET";
export const secret = "the environment's secret";

export interface Shown {
  readonly json: string;
  readonly spread: string;
  readonly keys: readonly string[];
  /** Every text that is to be found from a spread, however deep. */
  readonly texts: readonly string[];
}

/** The lines before and after what `show` prints for this connection. */
export const marks = (id: string): readonly [before: string, after: string] => [`BEGIN ${id}`, `END ${id}`];

/** Prints each, whole and spread. */
export function show(connection: Connection): { env: unknown; shown: Record<string, Shown> } {
  const { room, rooms } = connection;
  const things: Record<string, object> = { connection, room, rooms, "room.rooms": room.rooms };
  const [before, after] = marks(connection.id);
  console.log(before);
  for (const [name, thing] of Object.entries(things)) console.log(name, thing, { ...thing });
  console.log(after);
  const shown = Object.entries(things).map(([name, thing]) => [name, shownOf(thing)] as const);
  return { env: (connection.env as Record<string, unknown>)[secretName], shown: Object.fromEntries(shown) };
}

function shownOf(thing: object): Shown {
  const spread = { ...thing };
  return { json: JSON.stringify(thing), spread: JSON.stringify(spread), keys: Object.keys(spread), texts: [...textsIn(spread)] };
}

function* textsIn(value: unknown, seen: Set<unknown> = new Set()): Generator<string, void, undefined> {
  if (typeof value === "string") yield value;
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  const parts = value instanceof Map || value instanceof Set ? [...value] : Object.values(value);
  for (const part of parts) yield* textsIn(part, seen);
}
