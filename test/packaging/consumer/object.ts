/** On Cloudflare: a Durable Object, routed to by Edgewire. */
import { durable, route } from "edgewire/durable";
import { echoInRooms } from "./echo.ts";

export class Echo extends durable(echoInRooms) {}

export default route(echoInRooms);
