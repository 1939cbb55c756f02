/** Processes that something else keeps once their servers are closed. */
import { describe, expect, test } from "vitest";
import type { Runtime } from "../docs/run.ts";
import { Running, Talker } from "./running.ts";

const minute = 60_000;
/** What Edgewire says of it. */
const told = ({ errors }: Running): string[] => errors.filter((line) => line.startsWith("edgewire: "));

describe.each<Runtime>(["node", "bun", "deno"])("on %s", (runtime) => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "a process that a timer keeps gets %s again at the deadline, once for all servers",
    async (signal) => {
      await using server = await Running.start(runtime, { signals: { deadline: 300 }, hold: 10 * minute });
      server.signal(signal);
      expect(await server.ended).toEqual({ code: null, signal });
      expect(told(server)).toEqual([expect.stringMatching(`still running after ${signal}.*Raising ${signal} again.*raise: false`)]);
    },
  );

  test("one that nothing keeps any longer ends by itself before the deadline, and nothing is said", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: minute }, hold: 1500 });
    server.signal("SIGTERM");
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.lines).toContainEqual({ held: "no longer" });
    expect(told(server)).toEqual([]);
  });

  test("clients that were lost, or terminated while they send, keep it no longer", async () => {
    const heartbeat = { interval: 10 * minute, timeout: minute };
    await using server = await Running.start(runtime, { signals: { deadline: 10 * minute }, heartbeat });
    const [lost, terminated] = [await Talker.connect(server.ports[0], "lost"), await Talker.connect(server.ports[0], "terminated")];
    lost.lose();
    terminated.say("terminate");
    terminated.talk(1);
    await server.until(() => ["lost", "terminated"].every((name) => server.lines.some(({ closed }) => closed === name)));
    await terminated.closed;
    server.signal("SIGTERM");
    expect(await server.ended).toEqual({ code: 0, signal: null });
  });

  test("another listener for the signal has the process left to it", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: 300 }, own: true, hold: 10 * minute });
    const heard = (): number => server.lines.filter(({ own }) => own !== undefined).length;
    server.signal("SIGTERM");
    await server.until(() => told(server).length > 0);
    expect(heard()).toBe(1);
    server.signal("SIGTERM");
    await server.until(() => heard() === 2);
    expect(told(server)).toEqual([expect.stringContaining("It is left to the other listener for SIGTERM")]);
  });

  test("with `raise: false` it is left alone", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: 300, raise: false }, hold: 4000 });
    server.signal("SIGTERM");
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.lines).toContainEqual({ held: "no longer" });
    expect(told(server)).toEqual([]);
  });

  test("a second signal does not wait for the deadline", async () => {
    await using server = await Running.start(runtime, { signals: { deadline: minute }, hold: minute });
    server.signal("SIGTERM");
    await expect.poll(() => server.get().catch(() => "closed"), { timeout: 30_000 }).toBe("closed");
    server.signal("SIGTERM");
    expect(await server.ended).toEqual({ code: null, signal: "SIGTERM" });
    expect(told(server)).toEqual([]);
  });
});

describe("under a watcher", () => {
  // It keeps the process for good, and says so by its flag: the deadline is not waited for.
  test.each(["--hot", "--watch"])("bun %s ends a moment after its servers", async (flag) => {
    await using server = await Running.start("bun", { signals: { deadline: 10 * minute } }, [flag]);
    server.signal("SIGTERM");
    expect((await server.ended).signal).toBe("SIGTERM");
    expect(told(server)).toHaveLength(1);
  });

  test.each<[Runtime, boolean]>([
    ["node", false],
    ["node", true],
    ["deno", true],
  ])("%s --watch ends, something else keeps it: %s", async (runtime, held) => {
    await using server = await Running.start(runtime, { signals: { deadline: 300 }, ...(held ? { hold: 10 * minute } : {}) }, ["--watch"]);
    server.signal("SIGTERM");
    // Node's watcher itself ends with 0.
    expect(await server.ended).toEqual(runtime === "node" ? { code: 0, signal: null } : { code: null, signal: "SIGTERM" });
    expect(told(server)).toHaveLength(held ? 1 : 0);
  });
});
