/** Edgewire on a plain Worker. */
import { worker } from "edgewire/workers";
import { bench } from "./edgewire.handler.ts";

export default worker(bench("echo"));
