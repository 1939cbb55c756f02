/** On Node, Bun and Deno: the handler alone. */
import { serve } from "edgewire/serve";
import { echo } from "./echo.ts";

const { port } = await serve(echo, { hostname: "127.0.0.1" });
console.log(`LISTEN ${port}`);
