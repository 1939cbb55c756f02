/** A client of every kind meets a server: what it saw, in one object. Runs on Node, Deno, Bun, in a Worker and in a page. */
import { ReconnectingWebSocket, type ClientOptions } from "edgewire/client";

export interface Seen {
  readonly events: string[];
  readonly messages: unknown[];
  readonly sent: string[];
  readonly latency: boolean;
  readonly wrong: string[];
}

/** `url` is of the contract's application (test/support/handler.ts), which runs scripts that it is sent. */
export async function meet(url: string, options: ClientOptions = {}): Promise<Seen> {
  const events: string[] = [];
  const messages: unknown[] = [];
  const sent: string[] = [];
  const socket = new ReconnectingWebSocket(async () => url, [], { firstDelay: 20, stableAfter: 1, ...options });
  socket.binaryType = "arraybuffer";
  for (const type of ["open", "disconnect", "retry", "close", "error", "drop"]) {
    socket.addEventListener(type, (event) => events.push(`${type} ${(event as CloseEvent).code ?? ""}`.trim()));
  }
  const script = (...steps: unknown[]): void => void sent.push(socket.send(JSON.stringify(steps)));
  script(["send", "text"], ["send", { bytes: [0, 255] }]);
  for await (const message of socket) {
    messages.push(typeof message === "string" ? message : [...new Uint8Array(message as ArrayBuffer)]);
    // The second connection: what was queued while away.
    if (messages.length === 2) script(["close", 4001, "again"]);
    if (messages.length === 2) socket.addEventListener("disconnect", () => script(["send", "back"]));
    if (messages.length === 3) script(["close", 1000, "enough"]);
  }
  const wrong: string[] = [];
  for (const [address, protocols] of [
    ["nowhere", []],
    [url, ["a b"]],
    [url, ["a", "a"]],
  ] as const) {
    try {
      new ReconnectingWebSocket(address, protocols, options).close();
      wrong.push("accepted");
    } catch (error) {
      wrong.push((error as Error).name);
    }
  }
  return { events, messages, sent, latency: (socket.latency ?? -1) >= 0, wrong };
}
