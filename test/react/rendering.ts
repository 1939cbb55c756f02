/** Renders each hook as a server does, and prints what came of it. */
import { createElement, version } from "react";
import { renderToString } from "react-dom/server";
import { useMessage, useMessages, usePresence, useRequest, useSocket, useStream } from "edgewire/react";
import { messages } from "./page/messages.ts";

let constructed = 0;
class NoWebSocket {
  constructor() {
    constructed++;
  }
}

function Page(): ReturnType<typeof createElement> {
  const { status, socket } = useSocket("/lobby", { WebSocket: NoWebSocket as never });
  const { client } = useMessages(messages, "/lobby");
  const { pending } = useRequest(client, "echo");
  const { items } = useStream(client, "count");
  const { members, current } = usePresence(client, "people");
  useMessage(client, "said", () => {});
  return createElement(
    "p",
    null,
    [
      status,
      socket ?? "no socket",
      client ?? "no client",
      pending ? "pending" : "nothing pending",
      current ? "current" : "nobody",
      ...members,
      ...items,
    ].join(),
  );
}

Reflect.deleteProperty(globalThis, "WebSocket");
const before = process.getActiveResourcesInfo();
const html = renderToString(createElement(Page));
const resources = process.getActiveResourcesInfo().slice(before.length);
console.log(JSON.stringify({ react: version, html, constructed, resources }));
