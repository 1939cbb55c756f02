/** The application without rooms in a plain Worker. */
import { worker } from "edgewire/workers";
import { handler } from "./roomless.ts";

export default worker(handler);
