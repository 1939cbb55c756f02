/** crossws on a plain Worker. */
import crossws from "crossws/adapters/cloudflare";
import { options } from "./crossws.hooks.ts";

declare const MODE: string;
const ws = crossws(options(MODE));
type Arguments = Parameters<typeof ws.handleUpgrade>;

export default { fetch: (...all: Arguments): ReturnType<typeof ws.handleUpgrade> => ws.handleUpgrade(...all) };
