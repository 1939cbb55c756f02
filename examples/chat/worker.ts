/** The chat on Cloudflare: every room is an object of this class. wrangler.toml binds the class as ROOM and serves public/. */
import { durable } from "edgewire/durable";
import { app } from "./app.ts";
import { chat } from "./chat.ts";

export class ChatRoom extends durable(chat) {}

// On Cloudflare each room is its own server, and there is no list of all rooms.
app.get("/metrics", (c) => c.text("On Cloudflare there are numbers of a room, not of all: GET /metrics/lobby", 404));

export default app;
