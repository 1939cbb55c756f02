/** Edgewire with delivery on a Durable Object. The mode is inserted when the Worker is bundled. */
import { durable, route } from "edgewire/durable";
import { bench } from "./delivery.handler.ts";

declare const MODE: string;
const handler = bench(MODE, { binding: "ROOM", upgrade: () => ({ room: "room" }) });

export class Room extends durable(handler) {}
export default route(handler);
