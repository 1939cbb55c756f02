/** Presence on every runtime that has rooms: several tabs, a cut, a reconnect, an eviction. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReconnectingWebSocket } from "edgewire/client";
import { messageClient } from "edgewire/messages";
import { ending } from "./cuts.ts";
import { messages } from "./definition.ts";
import { patience, places } from "./places.ts";
import type { Place } from "./places.ts";

describe.each(Object.entries(places))("on %s", { timeout: 120_000 }, (_, open) => {
  let at: Place;
  beforeAll(async () => {
    at = await open();
  });
  afterAll(() => at.end());

  /** Somebody in the room, with what their list says and told. */
  function enter(member: string) {
    const network = ending(at.WebSocket);
    const url = `${at.url}/present?member=${member}`;
    const defined = at.messages ?? messages;
    const socket = new ReconnectingWebSocket(url, defined.protocols, { firstDelay: 1, maxDelay: 20, WebSocket: network.WebSocket });
    const client = messageClient(defined, socket);
    const people = client.presence("people");
    const told: string[] = [];
    for (const event of ["join", "leave", "update"] as const) {
      people.on(event, ({ id, state, connections }) => told.push(`${event} ${id} ${state.mood} ${connections}`));
    }
    const shown = (): string[] => Array.from(people, ({ id, state, connections }) => `${id} ${state.mood} ${connections}`).toSorted();
    return { ...network, socket, client, people, told, shown };
  }

  test("everyone sees who is there, once, through tabs, cuts and evictions", async () => {
    const watching = enter("");
    const ada = enter("ada");
    await expect.poll(watching.shown, patience).toEqual(["ada new 1"]);
    await expect.poll(ada.shown, patience).toEqual(["ada new 1"]);
    const grace = enter("grace");
    await expect.poll(watching.shown, patience).toEqual(["ada new 1", "grace new 1"]);
    const tab = enter("ada");
    await expect.poll(grace.shown, patience).toEqual(["ada new 2", "grace new 1"]);
    tab.client.send("mood", "busy");
    await expect.poll(watching.shown, patience).toEqual(["ada busy 2", "grace new 1"]);
    expect(watching.told).toEqual(["join ada new 1", "join grace new 1", "update ada new 2", "update ada busy 2"]);
    if (at.evicts) await at.disturb("present");
    // Those who know nothing of an eviction see no event of it.
    grace.client.send("mood", "fine");
    await expect.poll(watching.shown, patience).toEqual(["ada busy 2", "grace fine 1"]);
    expect(watching.told.slice(4)).toEqual(["update grace fine 1"]);

    // While it is away, somebody leaves and somebody comes: events are the difference.
    await expect.poll(ada.shown, patience).toEqual(["ada busy 2", "grace fine 1"]);
    ada.told.length = 0;
    const changes: boolean[] = [];
    ada.people.on("change", () => changes.push(ada.people.current));
    ada.end();
    await expect.poll(() => changes.includes(false), patience).toBe(true);
    tab.socket.close();
    await expect.poll(() => ada.people.current, patience).toBe(true);
    await expect.poll(ada.shown, patience).toEqual(["ada new 1", "grace fine 1"]);
    await expect.poll(watching.shown, patience).toEqual(["ada new 1", "grace fine 1"]);
    expect(ada.told.filter((event) => event.includes("grace"))).toEqual([]);

    grace.socket.close();
    await expect.poll(watching.shown, patience).toEqual(["ada new 1"]);
    await expect.poll(ada.shown, patience).toEqual(["ada new 1"]);
    for (const { socket } of [watching, ada]) socket.close();
  });
});
