/** crossws on a plain Worker. */
import type { Hooks } from "crossws";
import crossws from "crossws/adapters/cloudflare";
import { options } from "./crossws.hooks.ts";

declare const MODE: string;
const { hooks, ...others } = options(MODE);
// As with Hono, a binary message is a Blob here, which must be read before it can be sent.
const message: Hooks["message"] = (peer, { rawData }) => {
  if (rawData instanceof Blob) void rawData.arrayBuffer().then((bytes) => peer.send(bytes));
  else peer.send(rawData);
};
const ws = crossws({ ...others, hooks: { ...hooks, message } });
type Arguments = Parameters<typeof ws.handleUpgrade>;

export default { fetch: (...all: Arguments): ReturnType<typeof ws.handleUpgrade> => ws.handleUpgrade(...all) };
