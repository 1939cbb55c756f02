/** The chat's routes, the same on every runtime. The page itself is static: on Cloudflare its assets serve it, elsewhere files.ts. */
import { rooms, upgrade } from "edgewire/hono";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { chat } from "./chat.ts";
import { limits, messages, problemWith, tidy } from "./messages.ts";
import { metrics } from "./metrics.ts";

export const app = new Hono();

app.get("/ws/:room", upgrade(chat));

/** Sends an announcement to everyone in a room: `curl -d 'Back in five minutes' …/announce/lobby`. A real application checks who is calling. */
app.post("/announce/:room", bodyLimit({ maxSize: 4 * limits.text }), rooms(chat), async (c) => {
  const room = tidy(c.req.param("room"));
  const text = (await c.req.text()).trim();
  const problem = problemWith("announcer", room);
  if (problem !== undefined) return c.text(problem, 400);
  if (text === "") return c.text("Say something: the body is the announcement's text.", 400);
  if ([...text].length > limits.text) return c.text(`The announcement is too long: ${limits.text} characters is the most.`, 400);
  const reached = await messages.broadcast(c.var.rooms.room(room), "announced", { text });
  return c.json({ reached });
});

/** A room's metrics for Prometheus; those of the server are in server.ts. A real application checks who is calling, and for which rooms. */
app.get("/metrics/:room", rooms(chat), async (c) => {
  const room = tidy(c.req.param("room"));
  const problem = problemWith("prometheus", room);
  return problem === undefined ? metrics(await c.var.rooms.room(room).stats(), { room }) : c.text(problem, 400);
});
