/** Hono's helper on a plain Worker. */
import { upgradeWebSocket } from "hono/cloudflare-workers";
import { app } from "./hono.app.ts";

declare const MODE: string;
export default app(MODE, upgradeWebSocket, true);
