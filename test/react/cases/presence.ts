/** `usePresence`. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { Proxy } from "../../client/proxy.ts";
import { nothingIsLeft, until } from "../place.ts";
import type { Scene } from "./scene.ts";

export function presenceCases(scene: () => Scene): void {
  const shown = (page: Page): Promise<string[]> =>
    page.evaluate(() => world.people.members.map(({ id, state }) => `${id} ${state.typing}`));

  test("members come, change and go, each with a new list; other messages render nothing", async () => {
    const { place, page } = scene();
    const room = place.chat();
    await page.evaluate((url) => world.mount("People", { url }), `${room.url}?name=Ada`);
    await until(page, "world.people?.current");
    expect(await shown(page)).toEqual(["Ada false"]);
    const first = await page.evaluateHandle(() => world.people.members);
    await page.evaluate(() => (world.state.send as (...args: unknown[]) => unknown)("say", { text: "typing" }));
    await until(page, "world.people.members[0].state.typing");
    expect(await page.evaluate((before) => [before === world.people.members, before.length, before[0]?.state], first)).toEqual([
      false,
      1,
      { typing: false },
    ]);
    const grace = new WebSocket(`${room.url}?name=Grace`);
    await until(page, "world.people.members.length === 2");
    expect(await shown(page)).toEqual(["Ada true", "Grace false"]);
    const quiet = await page.evaluate(async () => {
      const { people } = world;
      const renders = world.renders.length;
      const client = world.state.client as unknown as { on(name: string, listener: () => void): void };
      const heard = new Promise<void>((resolve) => client.on("said", resolve));
      (world.state.send as (...args: unknown[]) => unknown)("say", { text: "typing" });
      await heard;
      await new Promise((resolve) => setTimeout(resolve));
      return [people === world.people, world.renders.length - renders];
    });
    expect(quiet).toEqual([true, 0]);
    grace.close();
    await until(page, "world.people.members.length === 1");
    await page.evaluate(() => world.unmount());
    await nothingIsLeft(page, room);
  });

  test("while the connection is lost, the last known; then those that the server sends again", async () => {
    const { place, page } = scene();
    const room = place.chat();
    await using proxy = await Proxy.to(Number(new URL(room.url).port));
    const url = `${proxy.url}/${room.name}?name=Ada`;
    await page.evaluate((to) => world.mount("People", { url: to }), url);
    await until(page, "world.people?.current");
    proxy.cut();
    await until(page, "!world.people.current");
    expect(await shown(page)).toEqual(["Ada false"]);
    await page.evaluate(() => world.state.socket?.retry());
    await until(page, "world.people.current");
    expect(await shown(page)).toEqual(["Ada false"]);
    place.complaints.length = 0;
  });

  test("another room has its own members, and no client none", async () => {
    const { place, page } = scene();
    const [room, other] = [place.chat(), place.chat()];
    await page.evaluate((url) => world.mount("People", { url }), `${room.url}?name=Ada`);
    await until(page, "world.people?.current");
    const during = await page.evaluate((url) => {
      world.mountNow("People", { url });
      return world.people;
    }, `${other.url}?name=Bea`);
    expect(during).toEqual({ members: [], current: false });
    await until(page, "world.people.current");
    expect(await shown(page)).toEqual(["Bea false"]);
    await page.evaluate(() => world.mountNow("People", { url: null }));
    expect(await page.evaluate(() => world.people)).toEqual({ members: [], current: false });
  });

  test("a topic that is none reaches the error boundary", async () => {
    const { place, page } = scene();
    const room = place.chat();
    await page.evaluate((url) => world.mount("People", { url, topic: "" }), room.url);
    await until(page, "world.caught.length > 0");
    expect((await page.evaluate(() => world.caught))[0]).toContain("presence takes a topic");
    await nothingIsLeft(page, room);
    // React reports it, too.
    place.complaints.length = 0;
  });
}
