/** What the tests of docs/migrate share: a page's files beside the packages that they come from. */
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { installLocked } from "../../scripts/lockfile.ts";
import { readPage, writePage, type Page } from "../docs/pages.ts";

const packages = import.meta.dirname;

/** Writes a page of docs/migrate to a folder of its own, in which the other library can be imported. */
export function migration(name: string): Page {
  installLocked(packages, "Testing docs/migrate");
  const page = readPage(`docs/migrate/${name}.md`);
  const own = { ...page, folder: `${page.folder}-run` };
  writePage(own);
  symlinkSync(join(packages, "node_modules"), join(own.folder, "node_modules"), "dir");
  return own;
}

/** Where a package of these pages is. */
export function packageOf(name: string): string {
  return createRequire(join(packages, "package.json")).resolve(name);
}

interface Member {
  readonly socket: WebSocket;
  next(): Promise<string>;
}

async function enter(url: string): Promise<Member> {
  const socket = new WebSocket(url);
  const waiting: string[] = [];
  socket.on("message", (data) => waiting.push(String(data)));
  await once(socket, "open");
  return {
    socket,
    async next() {
      while (waiting.length === 0) await once(socket, "message");
      return waiting.shift() as string;
    },
  };
}

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers });
  socket.on("error", () => {});
  const refused = once(socket, "unexpected-response").then(([, response]) => (response as { statusCode?: number }).statusCode);
  const opened = once(socket, "open").then(() => 101);
  try {
    return await Promise.race([refused, opened]);
  } finally {
    refused.catch(() => {});
    opened.catch(() => {});
    socket.terminate();
  }
}

/** The chat of these pages, whoever serves it: two rooms, a refusal, and an announcement. */
export async function converse(port: number, prefix = ""): Promise<void> {
  const at = (room: string): string => `ws://127.0.0.1:${port}${prefix}/${room}`;
  expect(await statusOf(at("lobby"))).toBe(401);
  const [ada, grace, elsewhere] = await Promise.all([
    enter(`${at("lobby")}?name=Ada`),
    enter(`${at("lobby")}?name=Grace`),
    enter(`${at("kitchen")}?name=Edsger`),
  ]);
  ada.socket.send("hello");
  expect(await grace.next()).toBe("Ada: hello");
  grace.socket.send("and to you");
  expect(await ada.next()).toBe("Grace: and to you");
  const posted = await fetch(`http://127.0.0.1:${port}${prefix}/lobby`, { method: "POST", headers: { connection: "close" } });
  expect(posted.ok).toBe(true);
  expect([await ada.next(), await grace.next()]).toEqual(["Back in five", "Back in five"]);
  const other = await enter(`${at("kitchen")}?name=Barbara`);
  other.socket.send("hello");
  // Nothing of the lobby came before it.
  expect(await elsewhere.next()).toBe("Barbara: hello");
  for (const { socket } of [ada, grace, elsewhere, other]) socket.terminate();
}

/** What a page of another origin gets. */
export function foreign(port: number, path: string): Promise<number | undefined> {
  return statusOf(`ws://127.0.0.1:${port}${path}`, { origin: "https://elsewhere.example" });
}
