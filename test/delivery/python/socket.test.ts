/** The client in Python over real sockets, with sessions in this process. */
import { describe, expect, inject, test } from "vitest";
import { Place } from "./place.ts";
import { cutAndCheck } from "./scene.ts";
import { Talk } from "./talk.ts";

const python = inject("python");
const url = ({ port }: Place): string => `ws://127.0.0.1:${port}/`;
const fast = { first_delay: 0.01, max_delay: 0.1 };

describe.skipIf(python === "")("the client in Python", () => {
  test.each([1, 2, 3])("cut at any byte: every message once, in order, seed %i", async (seed) => {
    await using place = await Place.start();
    const cuts = await cutAndCheck(
      { python, port: place.port, seed, clients: 3, messages: 100, mean: 1000 },
      place.applied as readonly string[],
    );
    expect(cuts).toBeGreaterThan(20);
  });

  test("text and bytes, compressed, under a subprotocol of the application", async () => {
    await using place = await Place.start();
    using talk = new Talk(python, { url: url(place), clients: 1, protocols: ["json"] });
    talk.send(0, "héllo");
    talk.send(0, { $bytes: "00ff3b" });
    await talk.until("both answers", () => talk.of(0, "message").length === 3);
    expect(talk.of(0, "message")).toEqual(expect.arrayContaining(["héllo", "answer héllo", { $bytes: "00ff3b" }]));
    expect(place.sockets[0]!.extensions).toContain("permessage-deflate");
    expect(place.offered).toEqual([["edgewire.delivery.1+json", "edgewire.delivery.1"]]);
    expect(await talk.end()).toBe("");
    expect(place.closed).toEqual([1000]);
    expect(talk.events[0]!.at(-1)).toEqual(["closed", "closed by the application"]);
  });

  test("a server without delivery is final", async () => {
    await using place = await Place.start(() => false);
    using talk = new Talk(python, { url: url(place), clients: 1 });
    talk.send(0, "kept");
    await talk.until("its end", () => talk.of(0, "closed").length === 1);
    expect(talk.events[0]).toEqual(
      expect.arrayContaining([
        ["refused", "kept"],
        ["closed", "the server has no delivery"],
      ]),
    );
  });

  test("another connection has its session: it begins one of its own", async () => {
    await using place = await Place.start();
    using talk = new Talk(python, { url: url(place), clients: 1, options: fast });
    await talk.until("its connection", () => talk.of(0, "open").length === 1);
    place.sockets[0]!.close(1008, "another connection has the session");
    await talk.until("its next", () => talk.of(0, "open").length === 2);
    expect(place.names).toEqual(["s1", "s2"]);
    expect(place.offered[1]).toEqual(["edgewire.delivery.1"]);
  });

  test("a server that falls silent is left with 1001, which keeps the session", async () => {
    await using place = await Place.start();
    place.answers = false;
    using talk = new Talk(python, { url: url(place), clients: 1, options: { ...fast, heartbeat: 0.1, heartbeat_timeout: 0.2 } });
    await talk.until("its return", () => talk.of(0, "open").length === 2);
    expect(place.closed[0]).toBe(1001);
    expect(place.names).toEqual(["s1"]);
  });

  test.each([
    ["hello", "no frame of delivery"],
    ['!{"end":null}', "malformed"],
  ])("a server that breaks the protocol is left for good: %s", async (text, problem) => {
    await using place = await Place.start();
    using talk = new Talk(python, { url: url(place), clients: 1, options: fast });
    await talk.until("its connection", () => talk.of(0, "open").length === 1);
    place.sockets[0]!.send(text);
    await talk.until("its end", () => talk.of(0, "closed").length === 1);
    expect(talk.of(0, "closed")[0]).toContain(problem);
    await expect.poll(() => place.closed).toEqual([4002]);
  });
});
