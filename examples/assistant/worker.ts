/** The assistant on Cloudflare: every conversation is an object of this class. wrangler.toml binds the class as ROOM and serves public/. */
import { durable, route } from "edgewire/durable";
import { assistant } from "./assistant.ts";

export class Conversation extends durable(assistant) {}

export default route(assistant);
