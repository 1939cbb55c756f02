/** What the page of browser.test.ts does. */
import { MessageError, messageClient } from "edgewire/messages";
import { messages } from "./definition.ts";

async function talk(url: string, protocols: string[]): Promise<unknown> {
  const socket = new WebSocket(url, protocols);
  const client = messageClient(messages, socket);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const errors: MessageError[] = [];
  client.onError((error) => errors.push(error));
  const noted: string[] = [];
  client.on("noted", ({ what }) => noted.push(what));
  client.send("say", { text: "hello" });
  client.send("say", { text: "" });
  const sum = await client.request("sum", [20, "22"]);
  const codeOf = (error: unknown): string => (error instanceof MessageError ? error.code : (error as Error).name);
  const refused = await client.request("refuse", { code: "out-of-tea" }).catch(codeOf);
  const heard = [...noted];
  const late = await client.request("slow", undefined, { deadline: 20 }).catch(codeOf);
  const stop = new AbortController();
  const slow = client.request("slow", undefined, { signal: stop.signal }).catch(codeOf);
  stop.abort();
  const cancelled = await slow;
  const echoed = await client.request("echo", Uint8Array.of(0, 1, 255));
  const waiting = client.request("slow").catch(codeOf);
  socket.close();
  return {
    protocol: socket.protocol,
    sum,
    noted: heard,
    refused,
    invalid: errors.map(({ code, about, issues }) => `${code} ${about}.${issues[0]?.path.join(".")}`).join(),
    late,
    cancelled,
    bytes: echoed instanceof Uint8Array ? [...echoed] : "no bytes",
    lost: await waiting,
  };
}

Object.assign(globalThis, { talk });
