/** What a page gets as `edgewire/messages` (package.json, condition "browser"): the same names, and nothing of the server. */
export { defineMessages } from "./define.ts";
export { messageClient } from "./client.ts";
export { MessageError } from "./error.ts";
export { json } from "./codec.ts";
export { presence } from "./topics/presence.ts";

/** Its types are the server's (index.ts), so that a file which both sides import compiles as it always did. */
export function messageHandler(): never {
  throw new Error(
    "messageHandler is for servers, and a page has edgewire/messages without it: define messages and handler in two files. " +
      'A server\'s build needs the condition "workerd", "node", "deno" or "bun" [EW526]',
  );
}
