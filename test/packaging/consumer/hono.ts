import { upgrade } from "edgewire/hono";
import { Hono } from "hono";
import { echoInRooms } from "./echo.ts";

export const app = new Hono();
app.get("/", upgrade(echoInRooms));
