/**
 * Clients on the other end of the cable, a process of its own. Argument: JSON of `Away`. It says `READY` when all are accepted, and of
 * each, by its place in the list, what it sees but for pings: `<place> <event as JSON>`. A line `<place> <text>` on stdin is sent by that client.
 */
import { createInterface } from "node:readline";
import { handshake } from "../support/client.ts";
import { pingText } from "../../src/protocol/text-ping.ts";

export interface Away {
  readonly host: string;
  readonly clients: readonly { readonly port: number; readonly target: string; readonly pings: boolean }[];
}

const { host, clients } = JSON.parse(process.argv[2]!) as Away;
const opened = await Promise.all(clients.map(({ port, target }) => handshake({ host, port }, { target })));
for (const [place, client] of opened.entries()) {
  if (!client.accepted) throw new Error(`client ${place} got ${client.response.status}`);
  if (clients[place]!.pings) setInterval(() => client.send(pingText), 100);
  void read(place);
}
console.log("READY");
for await (const line of createInterface({ input: process.stdin })) {
  const place = Number(line.split(" ", 1)[0]);
  opened[place]!.send(line.slice(line.indexOf(" ") + 1));
}
process.exit();

async function read(place: number): Promise<void> {
  for (;;) {
    const event = await opened[place]!.next(2 ** 30);
    if (event.type !== "ping") console.log(`${place} ${JSON.stringify(event)}`);
    if (event.type === "end") return;
  }
}
