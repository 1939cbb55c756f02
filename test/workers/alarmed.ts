/** A room that sets alarms when it is told to, and writes down which came. */
import { defineHandler } from "edgewire";
import type { AlarmInfo } from "edgewire";
import { durable, route } from "edgewire/durable";

/** In this isolate, which outlives the objects. */
export const rung: { readonly room: string; readonly info: AlarmInfo }[] = [];
export const expired: string[] = [];

/** What each room's hook waits for; one that is not here is over at once. */
export const gates = new Map<string, Promise<void>>();

const handler = defineHandler({
  binding: "ALARMED",
  heartbeat: { interval: 60_000, timeout: 60_000 },
  upgrade(request) {
    const { pathname, searchParams } = new URL(request.url);
    const expires = searchParams.get("expires");
    return { room: pathname.split("/").at(-1) ?? "", ...(expires === null ? {} : { expiresAt: Date.now() + Number(expires) }) };
  },
  message(connection, data) {
    if (/^\d+$/.test(String(data))) connection.room.setAlarm(Date.now() + Number(data));
    connection.send(data);
  },
  alarm(room, info) {
    rung.push({ room: room.name, info });
    return gates.get(room.name);
  },
  close: (connection, { code }) => void (code === 3000 && expired.push(connection.room.name)),
});

export class Alarmed extends durable(handler) {}
export const alarmed = route(handler);
