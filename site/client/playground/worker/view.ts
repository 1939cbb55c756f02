/** What is shown of a room: by the same calls that an application has. */
import type { ConnectionInfo, LocalRoom, Room, ScheduledCall } from "edgewire";
import type { Memory } from "edgewire/memory";
import type { ConnectionView, Due, Row, View } from "../protocol.ts";
import type { Definition } from "./modules.ts";
import { message, show } from "./show.ts";
import type { Watcher } from "./watcher.ts";

/** What is read of a room, at most. */
const most = 200;

export async function viewOf(server: Memory, watcher: Watcher, definition: Definition, wanted: string): Promise<View> {
  const rooms = await server.roomNames({ limit: most });
  const name = rooms.includes(wanted) || rooms.length === 0 ? wanted : (rooms[0] as string);
  const room = server.room(name);
  const [connections, topics, presence, scheduled, stats] = await Promise.all([
    room.connections(),
    room.topics(),
    room.presence(),
    room.scheduled().catch((): readonly ScheduledCall[] => []),
    room.stats(),
  ]);
  const named = new Set([...topics.keys(), ...Object.keys(typeof definition.history === "object" ? definition.history : {})]);
  return {
    rooms,
    room: name,
    connections: connections.slice(0, most).map((one) => connectionView(one, watcher)),
    topics: Array.from(topics, ([topic, count]): Row => [topic, String(count)]),
    presence: presence.map(({ id, state, connections: count }): Row => [
      id,
      `${state === undefined ? "here" : show(state)}${count > 1 ? ` × ${count}` : ""}`,
    ]),
    histories: await histories(room, named),
    values: await valuesOf(watcher.rooms.get(name)),
    due: dueOf(watcher.alarms.get(name), scheduled),
    stats: [
      ["received", String(stats.received.messages)],
      ["sent", String(stats.sent.messages)],
      ["waiting for slow readers", `${stats.buffered} bytes`],
      ["dropped", String(stats.dropped.received + stats.dropped.sent)],
      ["failed hooks", String(stats.hookErrors)],
    ],
  };
}

function connectionView({ id, url, state, topics }: ConnectionInfo, { away }: Watcher): ConnectionView {
  const { pathname, search } = new URL(url);
  return { id, url: pathname + search, state: show(state), topics, isAway: away.has(id) };
}

async function histories(room: Room, topics: Iterable<string>): Promise<View["histories"]> {
  const read = Array.from(topics, async (topic) => {
    const history = await room.history(topic).catch(() => undefined);
    return history === undefined ? [] : [{ topic, entries: history.entries.slice(-most).map(({ data }) => message(data)) }];
  });
  return (await Promise.all(read)).flat();
}

/** Values are read by the room that hooks have. */
async function valuesOf(room: LocalRoom | undefined): Promise<readonly Row[]> {
  const values = (await room?.storage.list({ limit: most })) ?? new Map<string, unknown>();
  return Array.from(values, ([key, value]): Row => [key, show(value)]);
}

function dueOf(alarm: number | undefined, scheduled: readonly ScheduledCall[]): readonly Due[] {
  const calls = scheduled.map(({ time, call, args }) => ({ time, what: `${call}(${args.map(show).join(", ")})` }));
  return [...(alarm === undefined ? [] : [{ time: alarm, what: "alarm" }]), ...calls];
}
