/** The chat on Cloudflare: every room is an object of this class. wrangler.toml binds it as ROOM and serves public/. */
import { durable } from "edgewire/durable";
import { app } from "./app.ts";
import { chat } from "./chat.ts";

export class ChatRoom extends durable(chat) {}

export default app;
