/** The application in Durable Objects. */
import { durable, route } from "edgewire/durable";
import { handler } from "./application.ts";

export class ChatRoom extends durable(handler) {}
export default route(handler);
