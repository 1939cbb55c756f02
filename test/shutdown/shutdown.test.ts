/** SIGTERM on real processes: what was taken is done, clients leave one after the other, and the process ends by itself. */
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Runtime } from "../docs/run.ts";
import { Running, Talker } from "./running.ts";

const ended = { code: 0, signal: null };

describe.each<Runtime>(["node", "bun", "deno"])("on %s", (runtime) => {
  test("under load no message that was taken is lost, and clients leave in a spread", async () => {
    await using server = await Running.start(runtime, { signals: { spread: 600, retry: 2000 } });
    const names = Array.from({ length: 20 }, (_, index) => `client-${index}`);
    const talkers = await Promise.all(names.map((name, index) => Talker.connect(server.ports[index % 2], name)));
    for (const talker of talkers) talker.talk(10);
    await server.until(() => server.lines.filter((line) => line.ran !== undefined).length > 200);
    server.signal("SIGTERM");
    const closings = await Promise.all(talkers.map((talker) => talker.closed));
    expect(await server.ended).toEqual(ended);

    for (const closing of closings) expect(closing).toEqual({ code: 1001, reason: "retry in 2000 ms" });
    for (const [index, name] of names.entries()) {
      const ran = server.lines.filter((line) => line.ran === name).map((line) => line.data);
      // In order, none left out; and what ran is what was answered.
      expect(ran).toEqual(ran.map((_, message) => String(message)));
      expect(talkers[index]?.heard).toEqual(ran);
      expect(server.lines.filter((line) => line.closed === name)).toEqual([{ closed: name, code: 1001 }]);
      expect(server.lines.findLastIndex((line) => line.ran === name)).toBeLessThan(server.lines.findIndex((line) => line.closed === name));
    }
    // Those whose turn had not come were served as before.
    const first = server.lines.findIndex((line) => line.closed !== undefined);
    const served = new Set(server.lines.slice(first).flatMap((line) => line.ran ?? []));
    expect(served.size).toBeGreaterThan(5);
    expect(server.lines.at(-1)).toEqual({ exit: [0, 0] });
  });

  test("what comes while it closes gets 503; the deadline ends what hangs, with the close frame before it", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: 1500 } });
    const talker = await Talker.connect(server.ports[0], "stuck");
    talker.say("hang");
    await server.until(() => server.lines.some((line) => line.hangs === "stuck"));
    expect(await server.get()).toBe("200 null");
    server.signal("SIGTERM");
    await expect.poll(() => server.get()).toBe("503 1");
    const refused = new WebSocket(`ws://127.0.0.1:${server.ports[0]}/`);
    refused.on("error", () => {});
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, { statusCode: number; headers: object }];
    expect(response).toMatchObject({ statusCode: 503, headers: { "retry-after": "1" } });
    refused.terminate();
    expect((await talker.closed).code).toBe(1001);
    expect(await server.ended).toEqual(ended);
  });

  test("what was given to waitUntil is done before the process ends, also of clients that have left", async () => {
    await using server = await Running.start(runtime, {});
    const [left, closed] = [await Talker.connect(server.ports[0], "left"), await Talker.connect(server.ports[1], "closed")];
    for (const talker of [left, closed]) talker.say("work");
    left.lose();
    await server.until(() => server.lines.some((line) => line.closed === "left"));
    server.signal("SIGTERM");
    expect((await closed.closed).code).toBe(1001);
    expect(await server.ended).toEqual(ended);
    const worked = server.lines.flatMap((line) => line.worked ?? []);
    expect(worked.toSorted()).toEqual(["closed", "left"]);
    expect(server.lines.findIndex((line) => line.worked === "closed")).toBeGreaterThan(
      server.lines.findIndex((line) => line.closed === "closed"),
    );
  });

  test("the deadline ends what was given to waitUntil and never settles; clients are closed at once all the same", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: 1500 } });
    const talker = await Talker.connect(server.ports[0], "endless");
    talker.say("endless");
    await server.until(() => server.lines.some((line) => line.hangs === "endless"));
    const begin = performance.now();
    server.signal("SIGTERM");
    expect((await talker.closed).code).toBe(1001);
    await server.until(() => server.lines.some((line) => line.closed === "endless"));
    // Until the deadline the server is there, and refuses.
    expect(await server.get()).toBe("503 1");
    expect(await server.ended).toEqual(ended);
    expect(performance.now() - begin).toBeGreaterThan(1400);
  });

  test("a request that is under way is answered, to its last byte", async () => {
    await using server = await Running.start(runtime, {});
    const answered = fetch(`http://127.0.0.1:${server.ports[0]}/slow`).then(async (response) => (await response.text()).length);
    await server.until(() => server.lines.some((line) => line.slow === "begun"));
    server.signal("SIGTERM");
    expect(await answered).toBe(1_000_000);
    expect(await server.ended).toEqual(ended);
  });

  test("until it is answered what comes new gets 503, and then nothing keeps the port", async () => {
    await using server = await Running.start(runtime, {});
    const talker = await Talker.connect(server.ports[0], "first");
    const answered = fetch(`http://127.0.0.1:${server.ports[0]}/slow`).then(async (response) => (await response.text()).length);
    await server.until(() => server.lines.some((line) => line.slow === "begun"));
    server.signal("SIGTERM");
    expect((await talker.closed).code).toBe(1001);
    await server.until(() => server.lines.some((line) => line.closed === "first"));
    for (let request = 0; request < 3; request++) expect(await server.get()).toBe("503 1");
    expect(await answered).toBe(1_000_000);
    expect(await server.ended).toEqual(ended);
  });

  test("a request that is never answered is cut off at the deadline", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: 800 } });
    const answered = fetch(`http://127.0.0.1:${server.ports[0]}/never`).then(
      () => "answered",
      () => "cut off",
    );
    await server.until(() => server.lines.some((line) => line.slow === "begun"));
    server.signal("SIGTERM");
    expect(await answered).toBe("cut off");
    expect(await server.ended).toEqual(ended);
  });

  test("a second signal ends it at once, by that signal", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: 60_000 } });
    const talker = await Talker.connect(server.ports[0], "stuck");
    talker.say("hang");
    await server.until(() => server.lines.some((line) => line.hangs === "stuck"));
    server.signal("SIGTERM");
    await expect.poll(() => server.get()).toBe("503 1");
    server.signal("SIGINT");
    expect(await server.ended).toEqual({ code: null, signal: "SIGINT" });
  });

  test("an application's own listener is told too, and `signals: false` leaves signals alone", async () => {
    await using both = await Running.start(runtime, { own: true });
    await using left = await Running.start(runtime, { own: true, signals: false });
    await using neither = await Running.start(runtime, { signals: false });
    const talker = await Talker.connect(left.ports[0], "stays");
    for (const server of [both, left, neither]) server.signal("SIGTERM");
    expect(await neither.ended).toEqual({ code: null, signal: "SIGTERM" });
    await left.until(() => left.lines.some((line) => line.own === "heard"));
    talker.say("still served");
    await left.until(() => left.lines.some((line) => line.data === "still served"));
    await both.until(() => both.lines.some((line) => line.own === "heard"));
    await both.until(() => both.lines.some((line) => line.exit !== undefined));
  });
});
