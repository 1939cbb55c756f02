/** The cursors, on each runtime by their messages, and in Chromium by mouse, finger and keys. */
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { messageClient } from "edgewire/messages";
import type { MessageClient } from "edgewire/messages";
import { messages } from "../../examples/cursors/messages.ts";
import { start, startWorker } from "../docs/run.ts";
import type { Runtime, Server } from "../docs/run.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { violations } from "./accessible.ts";
import { ExampleServer, root, runtimes } from "./server.ts";

const file = (name: string): string => join(root, "examples/cursors", name);
const startOn = (runtime: Runtime | "workerd"): Promise<Server> =>
  runtime === "workerd" ? startWorker(file("worker.ts"), { ROOM: "CursorRoom" }) : start(runtime, file("server.ts"));

/** Someone with a cursor and no page. */
async function enter(server: Server, name: string): Promise<Entered> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws?room=lobby`, messages.protocols);
  const client = messageClient(messages, socket);
  const places = new Map<string, number>();
  let count = 0;
  client.on("moved", ({ who, x }) => {
    count++;
    places.set(who, x);
  });
  const id = await new Promise<string>((resolve) => client.on("welcome", ({ you }) => resolve(you)));
  client.send("named", { name });
  return { id, client, socket, places, count: () => count };
}

function names({ client }: Entered): readonly string[] {
  return Array.from(client.presence("people"), ({ state }) => state.name).toSorted();
}

interface Entered {
  readonly id: string;
  readonly client: MessageClient<typeof messages>;
  readonly socket: WebSocket;
  /** The last x of each. */
  readonly places: ReadonlyMap<string, number>;
  count(): number;
}

describe.each(runtimes<Runtime | "workerd">(["node", "workerd"], ["bun", "deno"]))("cursors on %s", (runtime) => {
  test("everyone sees who is here, and where", async () => {
    await using server = await startOn(runtime);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    for (const one of [ada, grace]) await expect.poll(() => names(one)).toEqual(["Ada", "Grace"]);
    ada.client.send("moved", { x: 0.25, y: 0.5 });
    await expect.poll(() => grace.places.get(ada.id)).toBe(0.25);
    // Is refused, and reaches nobody.
    const refused = new Promise((resolve) => ada.client.onError(resolve));
    ada.client.send("moved", { x: 2, y: 0.5 });
    expect(await refused).toMatchObject({ code: "invalid-payload" });
    ada.client.send("named", { name: "Ada Lovelace" });
    await expect.poll(() => names(grace)).toEqual(["Ada Lovelace", "Grace"]);
    expect([grace.count(), ada.count()]).toEqual([1, 0]);
    ada.socket.close(1000);
    await expect.poll(() => names(grace)).toEqual(["Grace"]);
    grace.socket.close(1000);
  });

  test("who reads slowly gets the latest place of each", async () => {
    await using server = await startOn(runtime);
    const slow = await enter(server, "Slow");
    const movers = await Promise.all(["Ada", "Grace", "Alan"].map((name) => enter(server, name)));
    await expect.poll(() => slow.client.presence("people").members.size).toBe(4);
    slow.socket.pause();
    // More than the buffers of two sockets hold.
    const moves = 15_000;
    for (let move = 1; move <= moves; move++) for (const { client } of movers) client.send("moved", { x: move / moves, y: 0.123_456_789 });
    // The server has had all of it: what the movers say now comes after.
    for (const [index, one] of movers.entries()) {
      one.client.send("named", { name: `Mover ${index}` });
      await expect
        .poll(() => movers[0]?.client.presence("people").members.get(one.id)?.state.name, { timeout: 90_000 })
        .toBe(`Mover ${index}`);
    }
    slow.socket.resume();
    for (const { id } of movers) await expect.poll(() => slow.places.get(id), { timeout: 90_000 }).toBe(1);
    // Not one change of who is here is left out for a later one.
    await expect.poll(() => names(slow)).toEqual(["Mover 0", "Mover 1", "Mover 2", "Slow"]);
    // workerd does not tell what a client has not read: there every place comes.
    if (runtime === "workerd") expect(slow.count()).toBe(moves * movers.length);
    else expect(slow.count()).toBeLessThan(moves * movers.length);
    for (const { socket } of [slow, ...movers]) socket.close(1000);
  });
});

describe.skipIf(executablePath === "")("the cursors' page", () => {
  let server: ExampleServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([ExampleServer.start("cursors", "workerd"), launch()]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), server.end()]);
  });

  async function open(name: string, options?: BrowserContextOptions): Promise<Visitor> {
    const page = await (await browser.newContext(options)).newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(`${server.url}/?room=page`);
    const field = page.getByRole("textbox", { name: "Your name" });
    await field.fill(name);
    await field.press("Enter");
    await page.getByRole("status").getByText("Online").waitFor();
    const area = page.getByRole("application", { name: "Everyone's cursors" });
    return { page, area, complaints, cursor: (whose) => area.locator(".cursor").filter({ hasText: whose }) };
  }

  test("by mouse, by finger and by keys; axe-core finds nothing", async () => {
    const ada = await open("Ada");
    const grace = await open("Grace", { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, colorScheme: "dark" });
    const alan = await open("Alan");
    for (const { page } of [ada, grace, alan]) {
      await page.getByRole("heading", { name: "Here: 3" }).waitFor();
      for (const name of ["Ada", "Grace", "Alan"]) await page.getByRole("complementary").getByText(name, { exact: true }).waitFor();
    }

    const box = await ada.area.boundingBox();
    if (box === null) throw new Error("the area is not shown");
    await ada.page.mouse.move(box.x + box.width * 0.25, box.y + box.height * 0.75);
    await expect.poll(() => placeOf(grace.cursor("Ada"))).toEqual([25, 75]);

    await grace.area.tap({ position: { x: 10, y: 10 } });
    await grace.area.getByText("You", { exact: true }).waitFor();
    await ada.area.getByText("Grace", { exact: true }).waitFor();

    await alan.area.focus();
    await alan.page.keyboard.press("ArrowLeft");
    await alan.page.keyboard.press("Shift+ArrowDown");
    await expect.poll(() => placeOf(ada.cursor("Alan"))).toEqual([48, 60]);

    for (const { page } of [ada, grace]) {
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await violations(page)).toEqual([]);
    }

    // Who comes sees where everyone is, though nobody moves.
    const edsger = await open("Edsger");
    await expect.poll(() => placeOf(edsger.cursor("Ada"))).toEqual([25, 75]);
    await alan.page.context().close();
    await edsger.cursor("Alan").waitFor({ state: "detached" });
    await edsger.page.getByRole("heading", { name: "Here: 3" }).waitFor();
    for (const { complaints } of [ada, grace, alan, edsger]) expect(complaints).toEqual([]);
    for (const { page } of [ada, grace, edsger]) await page.context().close();
  });
});

interface Visitor {
  readonly page: Page;
  readonly area: Locator;
  readonly complaints: readonly string[];
  cursor(whose: string): Locator;
}

/** In percent of the area. */
async function placeOf(cursor: Locator): Promise<readonly number[] | undefined> {
  if ((await cursor.count()) === 0) return undefined;
  return cursor.evaluate((element) => {
    const { left, top } = (element as unknown as { readonly style: Record<"left" | "top", string> }).style;
    return [left, top].map((each) => Math.round(Number.parseFloat(each)));
  });
}
