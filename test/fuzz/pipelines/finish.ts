/** What must be as it was once every attacker has gone. */
import { setTimeout as sleep } from "node:timers/promises";
import { handshake, type Address, type Client } from "../../support/client.ts";
import type { Listener, Running } from "../../support/runtimes.ts";
import { fewConnections } from "../app/handler.ts";
import { isCloudflare } from "../campaign.ts";
import { patience } from "./attack.ts";

/** A handler that takes so many connections takes them all, and no more. */
export async function checkPlaces(running: Running, tag: string): Promise<void> {
  const address = running.address("few" as Listener);
  if (address === undefined) return;
  const deadline = Date.now() + patience;
  for (;;) {
    const opened = await open(address, tag, fewConnections + 1);
    const accepted = opened.filter((client) => client.accepted).length;
    for (const client of opened) await leave(client);
    if (accepted === fewConnections) return;
    // A place is free again once a handshake whose client nobody heard of has timed out.
    if (Date.now() > deadline) throw new Error(`a handler for ${fewConnections} connections takes ${accepted}`);
    await sleep(200);
  }
}

async function open(address: Address, tag: string, count: number): Promise<Client[]> {
  const target = `/?${new URLSearchParams({ tag, peer: "-2", room: `${tag}-places` })}`;
  return Promise.all(Array.from({ length: count }, () => handshake(address, { target })));
}

async function leave(client: Client): Promise<void> {
  // One that was refused may be asked for more.
  if (!client.accepted) return client.destroy();
  client.close(1000);
  for (let event = await client.next(); event.type !== "end";) event = await client.next();
  client.destroy();
}

/**
 * The server cancels a body that nobody reads any more: whoever made it can't know otherwise. workerd stops the request instead, and its
 * timers. An application's own server is Node's, which tells a response that waits for earlier ones nothing of the connection's end.
 */
export async function checkStreams(running: Running): Promise<void> {
  if (isCloudflare(running.runtime) || running.runtime === "attached") return;
  const deadline = Date.now() + patience;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${running.address("main")!.port}/held`, { headers: { connection: "close" } });
    const held = (await response.json()) as readonly string[];
    if (held.length === 0) return;
    if (Date.now() > deadline) throw new Error(`bodies are neither read to the end nor cancelled: ${held.slice(0, 5).join(", ")}`);
    await sleep(200);
  }
}
