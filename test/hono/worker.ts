/** Cloudflare: the chat's rooms are Durable Objects, the echo is a plain Worker's. */
import { durable } from "edgewire/durable";
import { createApp } from "./app.ts";

const { app, chat } = createApp({ binding: "ROOM" });

export class ChatRoom extends durable(chat) {}
export default app;
