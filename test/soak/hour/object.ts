/** The long soak's server on Cloudflare. */
import { durable, route } from "edgewire/durable";
import { soaked } from "./handler.ts";

export class Soak extends durable(soaked) {}
export default route(soaked);
