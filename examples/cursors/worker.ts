/** The cursors on Cloudflare: every room is an object of this class. wrangler.toml binds the class as ROOM and serves public/. */
import { durable, route } from "edgewire/durable";
import { cursors } from "./cursors.ts";

export class CursorRoom extends durable(cursors) {}

export default route(cursors);
