/** Histories that are read from cursors, on a runtime that keeps appointments. */
import { mode } from "./mode.ts";

mode.appointments = true;
await import("../readable-history.test.ts");
