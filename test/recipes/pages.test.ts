/** The recipes that need no library: each page's client and handler in memory, and its server on Node. */
import { memory } from "edgewire/memory";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { start } from "../docs/run.ts";
import { writeRecipe } from "./page.ts";

type Handler = Parameters<typeof memory>[0];
type Memory = ReturnType<typeof memory>;

async function serve(file: string, name: string): Promise<Memory> {
  const { [name]: handler } = (await import(file)) as Record<string, Handler>;
  const server = memory(handler!);
  onTestFinished(() => server.close());
  return server;
}

/** A constructor whose sockets the test can cut. */
function cuttable(server: Memory): { readonly WebSocket: unknown; cut(): void } {
  const made: InstanceType<Memory["WebSocket"]>[] = [];
  class Kept extends server.WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      made.push(this);
    }
  }
  return { WebSocket: Kept, cut: () => made.at(-1)?.terminate() };
}

interface Entered {
  say(text: string): Promise<void>;
  typing(): void;
  leave(): void;
}

test("chat: over a cut nothing is lost, and who is here stays", async () => {
  const file = writeRecipe("chat");
  const server = await serve(file("chat.ts"), "chat");
  const { enter } = (await import(file("chat-page.ts"))) as { enter(url: string, view: object, options: object): Entered };
  const people = new Map<string, { lines: string[]; people: readonly string[]; typing: string[]; cut(): void; chat: Entered }>();
  for (const name of ["Ada", "Grace"]) {
    const { cut, ...options } = cuttable(server);
    const seen = { lines: [] as string[], people: [] as readonly string[], typing: [] as string[] };
    const view = {
      line: (from: string, text: string) => seen.lines.push(`${from}: ${text}`),
      people: (names: readonly string[]) => (seen.people = names),
      typing: (who: string) => seen.typing.push(who),
    };
    const chat = enter(`ws://localhost/chat/lobby?name=${name}`, view, { ...options, firstDelay: 1 });
    people.set(name, Object.assign(seen, { cut, chat }));
  }
  const [ada, grace] = [people.get("Ada")!, people.get("Grace")!];
  await ada.chat.say("hello");
  await expect.poll(() => [ada.lines, grace.lines, grace.people]).toEqual([["Ada: hello"], ["Ada: hello"], ["Ada", "Grace"]]);
  grace.cut();
  ada.chat.typing();
  await ada.chat.say("one");
  await server.hibernate();
  await grace.chat.say("two");
  await expect.poll(() => grace.lines.slice(1)).toEqual(["Ada: one", "Grace: two"]);
  expect([ada.lines, ada.people]).toEqual([grace.lines, ["Ada", "Grace"]]);
  await expect(ada.chat.say(" ")).rejects.toMatchObject({ code: "invalid-payload" });
  grace.chat.typing();
  await expect.poll(() => ada.typing).toEqual(["Grace"]);
  grace.chat.leave();
  await expect.poll(() => ada.people).toEqual(["Ada"]);
  ada.chat.leave();
});

test("cursors: the newest place, also for who comes later", async () => {
  const file = writeRecipe("cursors");
  const server = await serve(file("cursors.ts"), "cursors");
  interface Watching {
    moved(x: number, y: number): void;
    leave(): void;
  }
  const { watch } = (await import(file("cursors-page.ts"))) as { watch(url: string, view: object, options: object): Watching };
  const join = (name: string): { readonly page: Watching; readonly places: Map<string, unknown>; draw(): void } => {
    const places = new Map<string, unknown>();
    const frames: (() => void)[] = [];
    const view = {
      move: (who: string, x: number, y: number) => places.set(who, [x, y]),
      remove: (who: string) => places.delete(who),
      nextFrame: (draw: () => void) => frames.push(draw),
    };
    const page = watch(`ws://localhost/lobby?name=${name}`, view, { WebSocket: server.WebSocket });
    return { page, places, draw: () => frames.splice(0).forEach((one) => one()) };
  };
  const [ada, grace] = [join("Ada"), join("Grace")];
  await expect.poll(() => server.room("lobby").count("cursors")).toBe(2);
  for (const x of [0.1, 0.2, 0.3]) ada.page.moved(x, 0.5);
  ada.draw();
  await expect.poll(() => [...grace.places.values()]).toEqual([[0.3, 0.5]]);
  expect(server.stats().received.messages).toBe(1);
  const late = join("Eve");
  await expect.poll(() => [...late.places.values()]).toEqual([[0.3, 0.5]]);
  ada.page.leave();
  await expect.poll(() => [grace.places.size, late.places.size]).toEqual([0, 0]);
  for (const { page } of [grace, late]) page.leave();
});

test("notifications: to all of a user's devices, to who comes later, and read on one of them", async () => {
  const file = writeRecipe("notifications");
  const { listen } = (await import(file("notices-page.ts"))) as {
    listen(url: string, show: (texts: readonly string[], unread: number) => void, options: object): { markRead(): void; close(): void };
  };
  await using server = await start("node", file("notices-server.ts"));
  const notify = async (user: string, text: string): Promise<unknown> => {
    const headers = { "content-type": "application/json", connection: "close" };
    const init = { method: "POST", headers, body: JSON.stringify({ text }) };
    return (await fetch(`http://127.0.0.1:${server.port}/notify/${user}`, init)).json();
  };
  class WithCookie extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { cookie: "theme=dark; user=ada" } });
    }
  }
  const device = (): { shown: unknown; readonly page: ReturnType<typeof listen> } => {
    const one: { shown: unknown; page?: ReturnType<typeof listen> } = { shown: undefined };
    const show = (texts: readonly string[], unread: number): void => void (one.shown = [texts, unread]);
    one.page = listen(`ws://127.0.0.1:${server.port}/notices`, show, { WebSocket: WithCookie });
    onTestFinished(() => one.page?.close());
    return one as { shown: unknown; page: ReturnType<typeof listen> };
  };
  expect([await notify("ada", "one"), await notify("grace", "hers")]).toEqual([{ reached: 0 }, { reached: 0 }]);
  const [phone, tab] = [device(), device()];
  await expect
    .poll(() => [phone.shown, tab.shown])
    .toEqual([
      [["one"], 1],
      [["one"], 1],
    ]);
  expect(await notify("ada", "two")).toEqual({ reached: 2 });
  await expect.poll(() => tab.shown).toEqual([["one", "two"], 2]);
  tab.page.markRead();
  await expect
    .poll(() => [phone.shown, tab.shown])
    .toEqual([
      [["one", "two"], 0],
      [["one", "two"], 0],
    ]);
  const late = device();
  await expect.poll(() => late.shown).toEqual([["one", "two"], 0]);
  const stranger = new WebSocket(`ws://127.0.0.1:${server.port}/notices`);
  const status = new Promise((resolve) => stranger.on("unexpected-response", (_, { statusCode }) => resolve(statusCode)));
  stranger.on("error", () => {});
  expect(await status).toBe(401);
  stranger.terminate();
});

test("streams: an answer comes in parts, and is cancelled", async () => {
  const file = writeRecipe("streams");
  const { ask } = (await import(file("stream-client.ts"))) as {
    ask(socket: object, prompt: string, show: (text: string) => void, signal?: AbortSignal): Promise<void>;
  };
  await using server = await start("node", file("stream-server.ts"));
  const { messages } = (await import(file("stream-messages.ts"))) as { messages: { readonly protocols: string[] } };
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, messages.protocols);
  await new Promise((resolve) => socket.once("open", resolve));
  const shown: string[] = [];
  await ask(socket, "to be or not", (text) => shown.push(text));
  expect([shown[0], shown.at(-1), shown.length]).toEqual(["You ", "You asked: to be or not", 6]);
  const stop = new AbortController();
  // More than the window, which is sent at once.
  const stopped = ask(socket, "to be ".repeat(200), () => stop.abort(new Error("enough")), stop.signal);
  await expect(stopped).rejects.toThrow("enough");
  await expect(ask(socket, " ", () => {})).rejects.toMatchObject({ code: "invalid-payload" });
  socket.terminate();
});
