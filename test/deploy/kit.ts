/** What the tests of docs/deploy share. */
import { once } from "node:events";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { readPage } from "../docs/pages.ts";

export function blockOf(page: string, file: string): string {
  const found = readPage(`docs/deploy/${page}.md`).blocks.find(({ attributes }) => attributes.get("file") === file);
  if (found === undefined) throw new Error(`docs/deploy/${page}.md has no block file=${file}`);
  return found.code;
}

export const server: string = blockOf("docker", "server.ts");
/** Milliseconds that its close may take. */
export const deadline: number = Number(/deadline: ([\d_]+)/.exec(server)?.[1]?.replace("_", ""));

/** Has two clients talk. */
export async function talk(port: number, path = "/lobby"): Promise<WebSocket[]> {
  const clients = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}${path}`));
  await Promise.all(clients.map((client) => once(client, "open")));
  const heard = clients.map((client) => once(client, "message"));
  clients[0]?.send("hello");
  for (const one of heard) expect(String((await one)[0])).toBe("hello");
  return clients;
}

export const health = async (port: number, path = "/health"): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } })).status;
