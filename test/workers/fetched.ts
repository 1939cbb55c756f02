/** Handlers whose clients are other Workers: they open a WebSocket by `fetch`, over no wire. */
import { defineHandler } from "edgewire";
import { durable, route } from "edgewire/durable";
import { worker } from "edgewire/workers";

export const heard: string[] = [];

const hooks = (name: string): Parameters<typeof defineHandler>[0] => ({
  maxConnectionsPerRoom: 1,
  rate: { messages: 1, burst: 3 },
  upgrade(request) {
    heard.push(`${name} upgrade ${request.url}`);
    return { room: "fetched" };
  },
  message: (connection, data) => void connection.send(`${connection.url} ${String(data)}`),
  close: (_, { code, initiator }) => void heard.push(`${name} close ${code} ${initiator}`),
});

const rooms = defineHandler({ ...hooks("rooms"), binding: "FETCHED" });

export class Fetched extends durable(rooms) {}
export const fetchedRooms = route(rooms);
export const fetchedAlone = worker(defineHandler(hooks("alone")));
