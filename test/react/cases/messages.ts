/** `useMessages`, and the hooks that take its client. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { nothingIsLeft, until } from "../place.ts";
import type { Room } from "../place.ts";
import type { Scene } from "./scene.ts";

export function messageCases(scene: () => Scene): void {
  const open = 'world.state.status === "open"';

  async function mounted(more: object = {}): Promise<{ readonly page: Page; readonly room: Room; readonly log: string[] }> {
    const { place, page } = scene();
    const room = place.chat();
    place.rooms.log.length = 0;
    await page.evaluate((props) => world.mount("Chat", props), { url: room.url, ...more });
    await until(page, open);
    return { page, room, log: place.rooms.log };
  }
  const say = (page: Page, text: string): Promise<unknown> =>
    page.evaluate((one) => (world.state.send as (...args: unknown[]) => unknown)("say", { text: one }), text);

  test("a client for as long as the component, with the socket's states", async () => {
    const { page, room } = await mounted();
    expect(await say(page, "hello")).toBe("sent");
    await until(page, "world.told.length === 2");
    const { client, again } = await page.evaluate((url) => {
      const before = world.state;
      world.mountNow("Chat", { url });
      return { client: typeof before.client, again: world.state === before };
    }, room.url);
    expect([client, again]).toEqual(["object", true]);
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room);
    expect(room.count.total).toBe(1);
  });

  test("what a server rendered is hydrated, and connects then", async () => {
    const { place, page } = scene();
    const room = place.chat();
    const html = await page.evaluate((url) => world.hydrate("Chat", { url }), room.url);
    expect(html).toBe("<p>connecting|0|||</p>");
    await until(page, open);
    expect((await page.evaluate(() => world.renders))[0]).toEqual({ status: "connecting" });
    expect(room.count).toEqual({ now: 1, total: 1 });
  });

  test("a listener is the latest render's, and listens once", async () => {
    const { page, room } = await mounted({ mark: "a" });
    await say(page, "1");
    await until(page, "world.told.length === 2");
    const listens = await page.evaluate((url) => {
      // From now on nobody may listen anew.
      const client = world.state.client as unknown as { on: (...args: unknown[]) => unknown };
      let count = 0;
      const { on } = client;
      client.on = (...args) => (count++, on(...args));
      world.mountNow("Chat", { url, mark: "b" });
      world.mountNow("Chat", { url, mark: "c" });
      return count;
    }, room.url);
    expect(listens).toBe(0);
    await say(page, "2");
    await until(page, "world.told.length === 4");
    expect(await page.evaluate(() => world.told)).toEqual(["a0 1", "other 1", "c1 2", "other 2"]);
  });

  test("a listener that throws is reported, and the others hear the message", async () => {
    const { page } = await mounted();
    await say(page, "throw");
    await until(page, "world.told.length === 1");
    expect(await page.evaluate(() => world.told)).toEqual(["other throw"]);
    await expect.poll(() => scene().place.complaints.splice(0)).toEqual(["Error: of a listener"]);
    await say(page, "2");
    await until(page, "world.told.length === 3");
  });

  test("a definition that is none reaches the error boundary, and leaves no socket", async () => {
    const { place, page } = scene();
    const room = place.chat();
    await page.evaluate((url) => {
      world.definition = { toServer: {} } as never;
      world.mount("Chat", { url });
    }, room.url);
    await until(page, "world.caught.length > 0");
    expect((await page.evaluate(() => world.caught))[0]).toBe(
      "TypeError: useMessages: messages is not what defineMessages returns [EW506]",
    );
    await page.evaluate((url) => {
      world.unmount();
      world.definition = {
        protocols: [],
        get codecs(): never {
          throw new Error("broken");
        },
      } as never;
      world.mount("Chat", { url });
    }, room.url);
    await until(page, "world.caught.length > 0");
    expect((await page.evaluate(() => world.caught))[0]).toBe("Error: broken");
    await nothingIsLeft(page, room);
    expect(room.count.total).toBe(0);
    // React reports it, too.
    place.complaints.length = 0;
  });

  test("another definition does not reconnect by itself; an edited one, by Fast Refresh, does", async () => {
    const { mode } = scene();
    const { page, room } = await mounted();
    await page.evaluate((url) => {
      for (let render = 0; render < 3; render++) {
        world.definition = { ...(world.definition ?? world.messages) };
        world.mountNow("Chat", { url, mark: String(render) });
      }
    }, room.url);
    await say(page, "1");
    await until(page, "world.told.length === 2");
    expect(room.count).toEqual({ now: 1, total: 1 });
    if (mode === "production") return;
    await page.evaluate(() => world.edit("Chat"));
    await expect.poll(() => room.count).toEqual({ now: 1, total: 2 });
    await until(page, open);
    await say(page, "2");
    await until(page, "world.told.length === 4");
  });

  test("a name that is not in the definition reaches the error boundary", async () => {
    const { place, page } = scene();
    await page.evaluate((url) => world.mount("Chat", { url, name: "unsaid" }), place.chat().url);
    await until(page, "world.caught.length > 0");
    expect((await page.evaluate(() => world.caught))[0]).toContain('toClient has no "unsaid"');
    // React reports it, too.
    place.complaints.length = 0;
  });

  test("a request: pending, then its result; the next one keeps it until it has its own", async () => {
    const { page } = await mounted();
    const seen = await page.evaluate(async () => {
      const states: unknown[] = [];
      const look = (): void => {
        const { data, error, pending } = world.calls.echo;
        states.push([data, error, pending]);
      };
      const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));
      look();
      const { run } = world.calls.echo;
      for (const text of ["one", "two"]) {
        const result = run({ text, wait: 60 });
        await settle();
        look();
        states.push(await result);
        await settle();
        look();
      }
      return [...states, world.calls.echo.run === run];
    });
    expect(seen).toEqual([
      [undefined, undefined, false],
      [undefined, undefined, true],
      "one",
      ["one", undefined, false],
      ["one", undefined, true],
      "two",
      ["two", undefined, false],
      true,
    ]);
  });

  test("the last request wins: those before are cancelled, here and at the server", async () => {
    const { page, room, log } = await mounted();
    const outcomes = await page.evaluate(() =>
      Promise.all([300, 200, 100].map((wait) => world.outcome(world.calls.echo.run({ text: `after ${wait}`, wait })))),
    );
    expect(outcomes).toEqual(["AbortError", "AbortError", "after 100"]);
    await until(page, 'world.calls.echo.data === "after 100" && !world.calls.echo.pending');
    await expect.poll(() => log).toEqual([`${room.name}: after 300 cancelled`, `${room.name}: after 200 cancelled`]);
  });

  test("one that fails: its error, until the next; an ignored promise is no unhandled rejection", async () => {
    const { page } = await mounted();
    await page.evaluate(() => void world.calls.refuse.run());
    await until(page, 'world.calls.refuse.error?.message === "There is no tea." && !world.calls.refuse.pending');
    expect(await page.evaluate(() => world.outcome(world.calls.refuse.run()))).toBe("no-tea");
    await page.evaluate(() => void world.calls.echo.run("not an object"));
    await until(page, "world.calls.echo.error !== undefined");
    expect(await page.evaluate(() => (world.calls.echo.error as Error & { code: string }).code)).toBe("invalid-payload");
    await page.evaluate(() => void world.calls.echo.run({ text: "fine" }));
    await until(page, 'world.calls.echo.data === "fine" && world.calls.echo.error === undefined');
    await page.evaluate(() => void world.calls.echo.run({ text: "late", wait: 1000 }, { deadline: 20 }));
    await until(page, 'world.calls.echo.error?.code === "deadline" && world.calls.echo.data === "fine"');
  });

  test("cancel, and the end of the component, cancel it: no error is shown", async () => {
    const { page, room, log } = await mounted();
    const cancelled = await page.evaluate(async () => {
      const { run, cancel } = world.calls.echo;
      const result = world.outcome(run({ text: "cancelled", wait: 5000 }));
      cancel();
      cancel();
      await new Promise((resolve) => setTimeout(resolve));
      return [await result, world.calls.echo.error, world.calls.echo.pending];
    });
    expect(cancelled).toEqual(["AbortError", undefined, false]);
    const ended = await page.evaluate(async () => {
      const result = world.outcome(world.calls.echo.run({ text: "unmounted", wait: 5000 }));
      await new Promise((resolve) => setTimeout(resolve));
      world.unmount();
      return result;
    });
    expect(ended).toBe("AbortError");
    await nothingIsLeft(page, room);
    expect(log.filter((line) => line.includes("unmounted"))).toHaveLength(1);
  });

  test("a stream: its items as they come, until it is cancelled, or ends", async () => {
    const { page, room, log } = await mounted();
    await page.evaluate(() => void world.calls.count.run({ wait: 10 }));
    await until(page, "world.calls.count.pending && world.calls.count.items.length > 2");
    await page.evaluate(() => world.calls.count.cancel());
    await until(page, "!world.calls.count.pending && world.calls.count.items.length > 2 && world.calls.count.error === undefined");
    await expect.poll(() => log).toEqual([`${room.name}: count ended`]);
    expect(await page.evaluate(() => world.calls.count.run({ to: 5 }))).toBeUndefined();
    await until(page, "!world.calls.count.pending");
    expect(await page.evaluate(() => [world.calls.count.items, world.calls.count.error])).toEqual([[1, 2, 3, 4, 5], undefined]);
  });

  test("a stream that fails keeps what came; the next begins empty, and cancels one that is under way", async () => {
    const { page, room, log } = await mounted();
    expect(await page.evaluate(() => world.outcome(world.calls.count.run({})))).toBe("enough");
    await until(page, 'world.calls.count.error?.message === "That is enough."');
    expect(await page.evaluate(() => world.calls.count.items?.length)).toBe(100);
    const outcomes = await page.evaluate(async () => {
      const { run } = world.calls.count;
      const first = world.outcome(run({ wait: 20 }));
      while ((world.calls.count.items ?? []).length < 2) await new Promise((resolve) => setTimeout(resolve));
      return [await Promise.all([first, run({ to: 3 })])];
    });
    expect(outcomes).toEqual([["AbortError", undefined]]);
    await until(page, "!world.calls.count.pending");
    expect(await page.evaluate(() => [world.calls.count.items, world.calls.count.error])).toEqual([[1, 2, 3], undefined]);
    await expect.poll(() => log).toEqual([1, 2, 3].map(() => `${room.name}: count ended`));
  });

  test("the end of the component ends a stream, at the server too", async () => {
    const { page, room, log } = await mounted();
    await page.evaluate(() => void world.calls.count.run({ wait: 10 }));
    await until(page, "world.calls.count.items.length > 2");
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room);
    await expect.poll(() => log).toEqual([`${room.name}: count ended`]);
  });

  test("a stream of which only the last items are kept", async () => {
    const { page } = await mounted();
    await page.evaluate(() => world.calls.count.run({ to: 50 }, { keep: 2, window: 5 }));
    await until(page, "!world.calls.count.pending");
    expect(await page.evaluate(() => world.calls.count.items)).toEqual([49, 50]);
    expect(await page.evaluate(() => world.outcome(world.calls.count.run({ to: 50 }, { keep: 0 })))).toBe("RangeError");
    await until(page, "world.calls.count.error?.message.startsWith('option \"keep\" is 0: use 1 or more')");
  });

  test("another client: what the one before answered is not shown, and what it was asked is cancelled", async () => {
    const { place } = scene();
    const { page } = await mounted();
    const other = place.chat();
    await page.evaluate(() => world.calls.echo.run({ text: "of the first room" }));
    await until(page, "world.calls.echo.data !== undefined");
    const pending = await page.evaluate(async (url) => {
      const result = world.outcome(world.calls.echo.run({ text: "of the first room", wait: 5000 }));
      world.mountNow("Chat", { url });
      const { data, error, pending: awaited } = world.calls.echo;
      return [await result, data, error, awaited];
    }, other.url);
    expect(pending).toEqual(["AbortError", undefined, undefined, false]);
    await until(page, open);
    expect(await page.evaluate(() => world.calls.echo.run({ text: "of the second" }))).toBe("of the second");
  });

  test("a request without a client is not sent, and says so", async () => {
    const { page } = scene();
    await page.evaluate(() => world.mount("Chat", { url: null }));
    await until(page, "world.calls !== undefined");
    expect(await page.evaluate(() => world.outcome(world.calls.echo.run({ text: "" })))).toBe("not-sent");
    await until(page, 'world.calls.echo.error?.code === "not-sent"');
    expect(await say(page, "hello")).toBe("refused");
  });

  test("a connection that is lost rejects what waits", async () => {
    const { page } = await mounted();
    const lost = await page.evaluate(async () => {
      const result = world.outcome(world.calls.echo.run({ text: "lost", wait: 5000 }));
      world.state.socket?.close();
      return result;
    });
    expect(lost).toBe("closed");
    await until(page, 'world.calls.echo.error?.code === "closed"');
  });
}
