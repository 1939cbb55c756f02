import { rooms, upgrade } from "edgewire/hono";
import { Hono } from "hono";
import { chat } from "./chat.ts";
import { page } from "./page.ts"; //: !cloudflare

export const app = new Hono();
app.get("/ws/:room", upgrade(chat));
app.get("/rooms/:room", rooms(chat), async (c) => c.json({ online: await c.var.rooms.room(c.req.param("room")).count() }));
app.get("*", (c) => page(c.req.raw)); //: !cloudflare
