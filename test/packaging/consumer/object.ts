/** On Cloudflare: a Durable Object, routed to by Edgewire. */
import { durable, route } from "edgewire/durable";
import { echo } from "./echo.ts";

export class Echo extends durable(echo) {}

export default route(echo);
