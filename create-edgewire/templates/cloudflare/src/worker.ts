import { durable, route } from "edgewire/durable"; //: !hono
import { durable } from "edgewire/durable"; //: hono
import { app } from "./app.ts"; //: hono
import { chat } from "./chat.ts";

/** A room: one Durable Object, which hibernates while nobody speaks. */
export class ChatRoom extends durable(chat) {}

export default route(chat); //: !hono
export default app; //: hono
