/** Rooms that sleep, and rooms that something keeps awake: a message says what. */
import { defineHandler } from "edgewire";
import { durable, route } from "edgewire/durable";

const handler = defineHandler<unknown, { readonly SILENT: string }>({
  binding: "ROOM",
  upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) }),
  message(connection, data) {
    connection.send(data);
    if (data === "interval") setInterval(() => {}, 1000);
    if (data === "timeouts") again();
    if (data === "later") return later();
    if (data === "hook") return new Promise(() => {});
    if (data === "fetch") void fetch(connection.env.SILENT);
    if (data === "socket") void new WebSocket(connection.env.SILENT.replace("http", "ws"));
    if (data === "cleared") clearInterval(setInterval(() => {}, 1000));
  },
  room: { open: (room) => void room.setAlarm(Date.now() + 1000) },
  alarm: () => {},
});

/** A loop of timers, each made by the one before. */
function again(): void {
  setTimeout(again, 1000);
}

/** After an await nobody knows whose it is. */
async function later(): Promise<void> {
  await Promise.resolve();
  setInterval(() => {}, 500);
}

export class Room extends durable(handler) {}
export default route(handler);
