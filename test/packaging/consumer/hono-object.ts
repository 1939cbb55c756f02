/** On Cloudflare: a Durable Object, routed to by a Hono app. */
import { durable } from "edgewire/durable";
import { echoInRooms } from "./echo.ts";
import { app } from "./hono.ts";

export class Echo extends durable(echoInRooms) {}

export default app;
