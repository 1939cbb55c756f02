/** On Cloudflare: a plain Worker. */
import { worker } from "edgewire/workers";
import { echo } from "./echo.ts";

export default worker(echo);
