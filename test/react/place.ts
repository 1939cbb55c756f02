/** A browser with a page for a version and build of React, and the servers that it talks to. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serve } from "edgewire/node";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { launch } from "../support/chromium.ts";
import type { World } from "./page/world.ts";
import { Rooms, chat, echo } from "./server.ts";

export type Version = 18 | 19;
export type Mode = "development" | "production";
export const modes = ["development", "production"] as const satisfies Mode[];

declare global {
  /** Of the page. */
  var world: World;
  /** Of the page: timers and listeners that are still there, by what they are. */
  var alive: Map<unknown, string>;
}

const here = import.meta.dirname;

/** Before anything else runs in a page: counts timers and the listeners of a page's own events. */
function watch(): void {
  const page = globalThis as unknown as Record<"setTimeout" | "clearTimeout", (...args: never[]) => unknown> & EventTarget;
  const alive = new Map<unknown, string>();
  const { setTimeout: set, clearTimeout: clear } = page;
  page.setTimeout = (then: () => void, milliseconds: never) => {
    const run = (): void => {
      alive.delete(id);
      then();
    };
    const id = set.call(page, run as never, milliseconds);
    alive.set(id, `timer of ${String(milliseconds)} ms`);
    return id;
  };
  page.clearTimeout = (id: never) => {
    alive.delete(id);
    clear.call(page, id);
  };
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, listener, options) {
    const { signal } = Object(options) as { signal?: AbortSignal };
    if (type === "online" || type === "visibilitychange") {
      const id = {};
      if (!signal?.aborted) alive.set(id, `listener of ${type}`);
      if (signal) add.call(signal, "abort", () => alive.delete(id));
    }
    add.call(this, type, listener, options);
  };
  Object.assign(page, { alive });
}

export class Place implements AsyncDisposable {
  readonly rooms = new Rooms();
  /** What the page wrote to its console as warnings and errors, and what was thrown to it. */
  readonly complaints: string[] = [];
  #browser: Browser;
  #pages: Server;
  #echo: Awaited<ReturnType<typeof serve>>;
  #chat: Awaited<ReturnType<typeof serve>>;
  #names = 0;

  private constructor(browser: Browser, pages: Server, rooms: Rooms, servers: readonly Awaited<ReturnType<typeof serve>>[]) {
    this.#browser = browser;
    this.#pages = pages;
    this.rooms = rooms;
    [this.#echo, this.#chat] = servers as [Awaited<ReturnType<typeof serve>>, Awaited<ReturnType<typeof serve>>];
  }

  static async of(version: Version): Promise<Place> {
    const rooms = new Rooms();
    const local = { hostname: "127.0.0.1" };
    const [browser, scripts, ...servers] = await Promise.all([
      launch(),
      Promise.all(modes.map((mode) => bundle(version, mode))),
      serve(echo(rooms), local),
      serve(chat(rooms), local),
    ]);
    const pages = createServer((request, response) => {
      const mode = modes.findIndex((one) => request.url?.startsWith(`/${one}`));
      const [before, page] = scripts[mode] ?? ["", ""];
      const scriptOf = (code: string): string => `<script>${code.replaceAll("</script", "<\\/script")}</script>`;
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(`<!doctype html><link rel="icon" href="data:,"><body>${scriptOf(before)}${scriptOf(page)}`);
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    return new Place(browser, pages, rooms, servers);
  }

  /** A page in which nothing is mounted. */
  async page(mode: Mode): Promise<Page> {
    const page = await this.#browser.newPage();
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // StrictMode unmounts at once: on a slow machine its first socket still connects, which Chromium reports.
      if (/WebSocket is closed before the connection is established/.test(message.text())) return;
      if (/warning|error/.test(message.type())) this.complaints.push(message.text());
    });
    await page.addInitScript(watch);
    const { port } = this.#pages.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/${mode}`);
    return page;
  }

  /** A new room of the server that echoes. */
  room(): Room {
    return this.#room(this.#echo.port);
  }
  /** A new room of the server that speaks messages. */
  chat(): Room {
    return this.#room(this.#chat.port);
  }

  #room(port: number): Room {
    const name = `room-${++this.#names}`;
    return { name, url: `ws://127.0.0.1:${port}/${name}`, count: this.rooms.of(name) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    this.#pages.close();
    this.#pages.closeAllConnections();
    await Promise.all([this.#echo.close(), this.#chat.close()]);
  }
}

export interface Room {
  readonly name: string;
  readonly url: string;
  readonly count: { readonly now: number; readonly total: number };
}

/** Waits until the page says so. */
export async function until(page: Page, expression: string): Promise<void> {
  await page.waitForFunction(expression, undefined, { timeout: 15_000, polling: 10 });
}

/** Nothing is left of a page's sockets: no connection, timer or listener. */
export async function nothingIsLeft(page: Page, ...rooms: readonly Room[]): Promise<void> {
  await expect.poll(() => rooms.map(({ count }) => count.now), { timeout: 15_000 }).toEqual(rooms.map(() => 0));
  await expect.poll(() => page.evaluate(() => [...alive.values()]), { timeout: 15_000 }).toEqual([]);
}

/** What Fast Refresh needs before React, and the page. */
async function bundle(version: Version, mode: Mode): Promise<readonly [before: string, page: string]> {
  const react = version === 18 ? join(here, "react-18/node_modules") : join(here, "../../node_modules");
  const script = async (file: string): Promise<string> => {
    const { outputFiles } = await build({
      entryPoints: [join(here, "page", file)],
      bundle: true,
      write: false,
      format: "iife",
      target: "es2024",
      jsx: "automatic",
      minify: mode === "production",
      define: { "process.env.NODE_ENV": JSON.stringify(mode) },
      alias: {
        react: join(react, "react"),
        "react-dom": join(react, "react-dom"),
        "react-refresh": join(here, "frameworks/node_modules/react-refresh"),
      },
      // React 18 has no Activity, and nothing mounts it there.
      logOverride: { "import-is-undefined": "silent" },
    });
    return outputFiles[0]!.text;
  };
  return [mode === "development" ? await script("refresh.ts") : "", await script("index.tsx")];
}
