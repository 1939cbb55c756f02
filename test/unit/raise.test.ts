/** What no real process of a test can be made to do; test/shutdown has the rest. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { raiseAfter, type Process } from "../../adapters/shared/raise.ts";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function fake(changes: Partial<Process> = {}): { process: Process; done: string[] } {
  const done: string[] = [];
  const process: Process = {
    pid: 7,
    execArgv: [],
    on: () => {},
    off: () => {},
    listenerCount: () => 0,
    kill: (pid, signal) => done.push(`kill ${pid} ${signal}`),
    exit: (code) => done.push(`exit ${code}`),
    ...changes,
  };
  return { process, done };
}

test("the first process of a container exits with the signal's status: the kernel would ignore the signal", async () => {
  for (const [signal, status] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    const { process, done } = fake({ pid: 1 });
    void raiseAfter(process, signal, 100, Promise.resolve());
    await vi.advanceTimersByTimeAsync(2000);
    expect(done).toEqual([`exit ${status}`]);
  }
});

test("so does a process that may not send signals", async () => {
  const { process, done } = fake({
    kill: () => {
      throw new Error("no permission");
    },
  });
  void raiseAfter(process, "SIGTERM", 100, Promise.resolve());
  await vi.advanceTimersByTimeAsync(2000);
  expect(done).toEqual(["exit 143"]);
});

test("servers that never close are not waited for beyond the deadline and two seconds", async () => {
  const { process, done } = fake();
  void raiseAfter(process, "SIGTERM", 500, new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(2499);
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toEqual(["kill 7 SIGTERM"]);
});

test("servers that close late leave the process a second to end by itself", async () => {
  const { process, done } = fake();
  void raiseAfter(process, "SIGTERM", 500, new Promise((resolve) => setTimeout(resolve, 700)));
  await vi.advanceTimersByTimeAsync(1699);
  expect(done).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toEqual(["kill 7 SIGTERM"]);
});
