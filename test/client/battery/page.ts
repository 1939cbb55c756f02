/** The battery in a browser. */
import { runAll } from "./battery.ts";

// What a listener throws is reported to the window.
globalThis.addEventListener?.("error", (event) => event.preventDefault());
Object.assign(globalThis, { runAll });
