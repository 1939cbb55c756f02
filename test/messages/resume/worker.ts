/** The room in Durable Objects. */
import { durable, route } from "edgewire/durable";
import { handler } from "./room.ts";

export class Room extends durable(handler) {}
export default route(handler);
