/** What an application's modules may export without writing its type. Compiled by versions.test.ts, never run. */
import { defineHandler } from "edgewire";
import type { Connection, StateOf } from "edgewire";
import { websocket } from "edgewire/bun";
import { ReconnectingWebSocket } from "edgewire/client";
import { durable, rooms as roomsOf, route } from "edgewire/durable";
import { rooms, upgrade } from "edgewire/hono";
import type { UpgradeContextOf } from "edgewire/hono";
import { memory } from "edgewire/memory";
import { defineMessages, messageClient, messageHandler } from "edgewire/messages";
import { msgpack } from "edgewire/msgpack";
import { attach } from "edgewire/node";
import { opentelemetry } from "edgewire/opentelemetry";
import { redis } from "edgewire/redis";
import { serve } from "edgewire/serve";
import { sqlite } from "edgewire/sqlite";
import { worker } from "edgewire/workers";

export const chat = defineHandler({ upgrade: () => ({ state: { name: "Ada" } }), calls: { vote: (room, option: string) => option } });
export const greet = (connection: Connection<StateOf<typeof chat>>) => connection.send(connection.state.name);
export const inApp = defineHandler({
  upgrade: (_request, { vars }: UpgradeContextOf<{ Variables: { user: string } }>) => ({ state: { name: vars.user } }),
});
export const named = defineHandler<{ name: string }>();
export const messages = defineMessages({ codecs: [msgpack] });
export const given = messageHandler(messages, { upgrade: async () => ({ state: { id: 1 } }) });
export const spoken = defineHandler(given);
export const inRooms = defineHandler({ binding: "ROOM" });

export const server = memory(chat);
export const serving = serve(chat);
export const attached = (http: Parameters<typeof attach>[0]) => attach(http, chat);
export const mounted = upgrade(inApp);
export const middleware = rooms(chat);
export const Base = durable(inRooms);
export const worked = worker(chat);
export const routed = route(inRooms);
export const lobby = (namespace: Parameters<typeof roomsOf>[0]) => roomsOf<typeof chat>(namespace).room("lobby");
export const file = sqlite("rooms.db");
export const shared = redis("redis://127.0.0.1:6379");
export const observed = opentelemetry();
export const ofBun = websocket;

export const socket = new ReconnectingWebSocket("wss://server.example/");
export const client = messageClient(messages, socket);
export const connected = server.connect();
