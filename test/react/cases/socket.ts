/** `useSocket`. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Proxy } from "../../client/proxy.ts";
import { nothingIsLeft, until } from "../place.ts";
import type { Scene } from "./scene.ts";

export function socketCases(scene: () => Scene): void {
  const open = 'world.state.status === "open"';

  test("one connection, which ends with the component; nothing is left of ten of them", async () => {
    const { place, page } = scene();
    const room = place.room();
    for (let time = 1; time <= 10; time++) {
      await page.evaluate((url) => world.mount("Socket", { url }), room.url);
      await until(page, open);
      expect(room.count).toEqual({ now: 1, total: time });
      await page.evaluate(() => world.unmount());
      await nothingIsLeft(page, room);
    }
  });

  test("two components have a connection each", async () => {
    const { place, page } = scene();
    const room = place.room();
    await page.evaluate((url) => world.mount("Pair", { url }), room.url);
    await expect.poll(() => room.count).toEqual({ now: 2, total: 2 });
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room);
  });

  test("unmounted before it connects, it never does", async () => {
    const { place, page } = scene();
    const room = place.room();
    const sent = await page.evaluate((url) => {
      world.mountNow("Socket", { url });
      // Its effect has run: there is a socket.
      const result = world.state.send("hello");
      world.unmount();
      return result;
    }, room.url);
    expect(sent).toBe("queued");
    await nothingIsLeft(page, room);
    expect(room.count.total).toBe(0);
  });

  test("unmounted while a server does not answer", async () => {
    const { place, page } = scene();
    const sockets = new Set<object>();
    const silent = createServer((socket) => {
      sockets.add(socket);
      socket
        .on("close", () => sockets.delete(socket))
        .on("error", () => {})
        .resume();
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    await page.evaluate((url) => world.mount("Socket", { url }), `ws://127.0.0.1:${port}/`);
    await expect.poll(() => sockets.size).toBe(1);
    await page.evaluate(() => world.unmount());
    await expect.poll(() => sockets.size).toBe(0);
    await nothingIsLeft(page);
    silent.close();
    // Chromium's own, for whoever closes a WebSocket that is not open yet.
    expect(place.complaints.splice(0).filter((one) => !one.includes("closed before the connection is established"))).toEqual([]);
  });

  test("renders with what has changed, and no more: latency only where it is read", async () => {
    const { place, page } = scene();
    const room = place.room();
    const measured = async (): Promise<number> =>
      page.evaluate(async () => {
        const before = world.renders.length;
        for (let answers = 0; answers < 5; answers++) {
          await new Promise((resolve) => world.state.socket?.addEventListener("latency", resolve, { once: true }));
        }
        // React renders in a task of its own.
        await new Promise((resolve) => setTimeout(resolve));
        return world.renders.length - before;
      });
    const statuses = (): Promise<string[]> =>
      page.evaluate(() => world.renders.map(({ status }) => status).filter((status, at, all) => status !== all[at - 1]));
    await page.evaluate((url) => world.mount("Socket", { url, options: { heartbeat: 5 } }), room.url);
    await until(page, open);
    expect(await statuses()).toEqual(["connecting", "open"]);
    expect(await measured()).toBe(0);
    // What is read outside of a render is current, too.
    expect(await page.evaluate(() => world.state.latency)).toBeGreaterThanOrEqual(0);
    await page.evaluate((url) => world.mount("Socket", { url, options: { heartbeat: 5 }, latency: true }), room.url);
    expect(await measured()).toBeGreaterThanOrEqual(4);
    expect(room.count.total).toBe(1);
  });

  test("the object, the socket and send are the same ones until something changes", async () => {
    const { place, page } = scene();
    const room = place.room();
    await page.evaluate((url) => world.mount("Socket", { url }), room.url);
    await until(page, open);
    const same = await page.evaluate(async (url) => {
      const { state } = world;
      const renders = world.renders.length;
      world.mount("Socket", { url, hello: "hello" });
      while (world.renders.length === renders) await new Promise((resolve) => setTimeout(resolve));
      return world.state === state;
    }, room.url);
    expect(same).toBe(true);
  });

  test("equal arguments of other identities change nothing, other values reconnect", async () => {
    const { place, page } = scene();
    const [room, other] = [place.room(), place.room()];
    const mount = async (url: string, options: object): Promise<void> => {
      await page.evaluate(([to, given]) => world.mountNow("Socket", { url: new URL(to), options: given }), [url, options] as const);
      // Chromium warns of a connection that is closed before it is open.
      await until(page, open);
    };
    for (let time = 0; time < 3; time++) await mount(room.url, { protocols: ["one"], finalCodes: [1008], maxDelay: 5000 });
    expect(room.count.total).toBe(1);
    await mount(room.url, { protocols: ["two"], finalCodes: [1008], maxDelay: 5000 });
    await expect.poll(() => room.count).toEqual({ now: 1, total: 2 });
    await until(page, 'world.state.socket?.protocol === "two"');
    await mount(room.url, { protocols: ["two"], finalCodes: [1008], maxDelay: 6000 });
    await expect.poll(() => room.count).toEqual({ now: 1, total: 3 });
    await mount(other.url, {});
    await expect.poll(() => [room.count.now, other.count.now]).toEqual([0, 1]);
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room, other);
  });

  test("another address is never shown with the socket of the one before", async () => {
    const { place, page } = scene();
    const [room, other] = [place.room(), place.room()];
    await page.evaluate((url) => world.mount("Socket", { url }), room.url);
    await until(page, open);
    const renders = await page.evaluate((url) => {
      const before = world.renders.length;
      world.mount("Socket", { url });
      return before;
    }, other.url);
    await until(page, open);
    const seen = await page.evaluate((from) => world.renders.slice(from), renders);
    expect(seen.filter(({ url }) => url === room.url)).toEqual([]);
    expect(seen.map(({ status }) => status)).toContain("connecting");
  });

  test("no address yet, then one, then none again", async () => {
    const { place, page } = scene();
    const room = place.room();
    await page.evaluate(() => world.mount("Socket", { url: null }));
    await until(page, "world.renders.length > 0");
    expect(await page.evaluate(() => [world.state.status, world.state.socket, world.state.send("nowhere")])).toEqual([
      "connecting",
      undefined,
      "refused",
    ]);
    await page.evaluate((url) => world.mount("Socket", { url }), room.url);
    await until(page, open);
    await page.evaluate(() => world.mount("Socket", { url: undefined }));
    await until(page, "world.state.socket === undefined");
    await nothingIsLeft(page, room);
    await page.evaluate((url) => world.mount("Socket", { url }), room.url);
    await until(page, open);
    expect(room.count).toEqual({ now: 1, total: 2 });
  });

  test("a function for the address: a new one does not reconnect, and the latest is called for each attempt", async () => {
    const { place, page } = scene();
    const [room, other] = [place.room(), place.room()];
    const mount = (url: string): Promise<void> => page.evaluate((to) => world.mount("Socket", { url: async () => to }), url);
    await mount(room.url);
    await until(page, open);
    await mount(other.url);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    expect([room.count, other.count]).toEqual([
      { now: 1, total: 1 },
      { now: 0, total: 0 },
    ]);
    await page.evaluate(() => world.state.socket?.send("go"));
    await until(page, 'world.state.status === "closed"');
    await page.evaluate(() => world.unmount());
    await mount(other.url);
    await until(page, open);
    expect(other.count.total).toBe(1);
  });

  test("a message that an effect sends is queued; one that a child's effect sends is told to be refused", async () => {
    const { place, page, mode } = scene();
    const room = place.room();
    await page.evaluate((url) => world.mount("Socket", { url, hello: "hello" }), room.url);
    await until(page, open);
    // StrictMode runs each effect twice: the second time there is a socket.
    const twice = ["child queued", "queued"];
    expect(await page.evaluate(() => world.told)).toEqual(["child refused", "queued", ...(mode === "development" ? twice : [])]);
  });

  test("a server that restarts: waiting until retryAt, then open", async () => {
    const { place, page } = scene();
    const room = place.room();
    await using proxy = await Proxy.to(Number(new URL(room.url).port));
    const url = `${proxy.url}/${room.name}`;
    await page.evaluate((to) => world.mount("Socket", { url: to, options: { firstDelay: 50, maxDelay: 100 } }), url);
    await until(page, open);
    const port = await proxy.down();
    await until(page, 'world.renders.filter(({ status }) => status === "waiting").length > 4');
    await proxy.listen(port);
    await until(page, open);
    const renders = await page.evaluate(() => world.renders);
    // Chromium's own, for each attempt.
    expect(place.complaints.splice(0).filter((one) => !one.includes("ERR_CONNECTION_REFUSED"))).toEqual([]);
    for (const { status, retryAt } of renders) expect(retryAt !== undefined, status).toBe(status === "waiting");
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room);
  });

  test("over a server in memory, in the page itself", async () => {
    const [heard, during, after] = await scene().page.evaluate(() => world.inMemory());
    expect([heard, during, after]).toEqual(["hello", { now: 1, total: 1 }, { now: 0, total: 1 }]);
  });

  test("closed for good by the server: it says so, and stays closed until it is told to reconnect", async () => {
    const { place, page } = scene();
    const room = place.room();
    await page.evaluate((url) => world.mount("Socket", { url }), room.url);
    await until(page, open);
    await page.evaluate(() => world.state.send("go"));
    await until(page, 'world.state.status === "closed"');
    expect(room.count.total).toBe(1);
    await page.evaluate(() => world.state.socket?.reconnect());
    await until(page, open);
    expect(room.count).toEqual({ now: 1, total: 2 });
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room);
  });

  test.each([
    ["an address", { url: "ftp://127.0.0.1/" }, "SyntaxError"],
    ["a subprotocol", { url: "ws://127.0.0.1:9/", options: { protocols: ["a", "a"] } }, "SyntaxError"],
    ["an option's value", { url: "ws://127.0.0.1:9/", options: { firstDelay: -1 } }, 'RangeError: option "firstDelay"'],
    ["an option's name", { url: "ws://127.0.0.1:9/", options: { maxRetries: 3 } }, 'TypeError: option "maxRetries"'],
  ])("%s that is wrong reaches the error boundary", async (_, props, expected) => {
    const { place, page } = scene();
    await page.evaluate((given) => world.mount("Socket", given), props);
    await until(page, "world.caught.length > 0");
    expect((await page.evaluate(() => world.caught))[0]).toContain(expected);
    await nothingIsLeft(page);
    // React reports it, too.
    place.complaints.length = 0;
  });

  test("Suspense that hides it leaves it connected", async () => {
    const { place, page } = scene();
    const room = place.room();
    await page.evaluate((url) => world.mount("Suspended", { url }), room.url);
    await until(page, open);
    await page.evaluate((url) => {
      const waits = new Promise<void>((resolve) => Object.assign(globalThis, { resolve }));
      world.mount("Suspended", { url, waits });
    }, room.url);
    await until(page, 'document.querySelector("main").textContent.includes("waiting")');
    expect(await page.evaluate(() => world.state.socket?.status)).toBe("open");
    await page.evaluate(() => (globalThis as unknown as { resolve(): void }).resolve());
    await until(page, '!document.querySelector("main").textContent.includes("waiting")');
    expect(room.count).toEqual({ now: 1, total: 1 });
  });

  test("Activity that hides it closes it, and shows it with a new connection", async ({ skip }) => {
    const { place, page, version } = scene();
    skip(version === 18, "React 18 has no Activity");
    const room = place.room();
    const mount = (mode: string): Promise<void> => page.evaluate(([url, to]) => world.mount("Hidden", { url, mode: to }), [room.url, mode]);
    await mount("visible");
    await until(page, open);
    await mount("hidden");
    await nothingIsLeft(page, room);
    await mount("visible");
    await until(page, open);
    expect(room.count).toEqual({ now: 1, total: 2 });
  });

  test("Fast Refresh keeps the connection", async ({ skip }) => {
    const { place, page, mode } = scene();
    skip(mode === "production", "is of development builds");
    const room = place.room();
    await page.evaluate((url) => world.mount("Socket", { url }), room.url);
    await until(page, open);
    const edited = await page.evaluate(async () => {
      const { socket } = world.state;
      const renders = world.renders.length;
      world.edit("Socket");
      while (world.renders.length === renders) await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => setTimeout(resolve));
      return [world.state.socket === socket, world.state.status];
    });
    expect(edited).toEqual([true, "open"]);
    expect(room.count).toEqual({ now: 1, total: 1 });
  });
}
