import { defineHandler } from "edgewire";
import type { Connection, Data } from "edgewire";

function message(connection: Connection, data: Data): void {
  connection.send(data);
}

export const echo = defineHandler({ message });

/** On Cloudflare each room is a Durable Object. */
export const echoInRooms = defineHandler({ binding: "ECHO", upgrade: () => ({ room: "lobby" }), message });
