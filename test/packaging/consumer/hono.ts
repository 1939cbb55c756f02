import { upgrade } from "edgewire/hono";
import { Hono } from "hono";
import { echo } from "./echo.ts";

export const app = new Hono();
app.get("/", upgrade(echo));
