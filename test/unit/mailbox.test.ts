import { expect, test, vi } from "vitest";
import { Mailbox } from "../../src/connection/mailbox.ts";
import type { Connection, Data } from "../../src/index.ts";
import { FakeSocket, open, settle } from "./fake.ts";

test("a synchronous hook runs at once and leaves no promise", () => {
  const seen: Data[] = [];
  const { live } = open({ message: (_, data) => void seen.push(data) });
  expect(live.message("a")).toBeUndefined();
  expect(live.running).toBeUndefined();
  expect(seen).toEqual(["a"]);
});

test("hooks wait for the asynchronous one before them, in order", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const { live } = open({
    async open() {
      seen.push("open begins");
      await gate.promise;
      seen.push("open ends");
    },
    message: (_, data) => void seen.push(String(data)),
    close: () => void seen.push("close"),
  });
  void live.message("a");
  void live.message("b");
  void live.ended(1000, "");
  await settle();
  expect(seen).toEqual(["open begins"]);
  gate.resolve();
  await live.finished;
  expect(seen).toEqual(["open begins", "open ends", "a", "b", "close"]);
});

test("a slow message does not let a fast one pass", async () => {
  const gate = Promise.withResolvers<void>();
  const { live, socket } = open({
    async message(connection, data) {
      if (data === "slow") await gate.promise;
      connection.send(data);
    },
  });
  void live.message("slow");
  void live.message("fast");
  gate.resolve();
  await live.running;
  expect(socket.sent).toEqual(["slow", "fast"]);
});

test("an event inside a hook waits until the hook is done", () => {
  const seen: string[] = [];
  const socket = new FakeSocket();
  // Bun reports the close inside close().
  socket.close = () => void live.ended(1000, "");
  const { live } = open(
    {
      message(connection) {
        connection.close();
        seen.push("message done");
      },
      close: () => void seen.push("close"),
    },
    { socket },
  );
  void live.message("x");
  expect(seen).toEqual(["message done", "close"]);
});

test("a queue that never empties is compacted and stays in order", async () => {
  const seen: string[] = [];
  const { live } = open({
    async message(_, data) {
      await Promise.resolve();
      seen.push(String(data));
    },
  });
  for (let index = 0; index < 4000; index++) void live.message(String(index));
  await live.running;
  expect(seen).toEqual(Array.from({ length: 4000 }, (_, index) => String(index)));
  void live.message("again");
  await live.running;
  expect(seen.at(-1)).toBe("again");
});

test("at maxQueued the socket is paused where it can be, and resumed when half is done", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const socket = new FakeSocket({ pausable: true });
  const { live } = open(
    {
      maxQueued: 4,
      async message(_, data) {
        await gate.promise;
        seen.push(String(data));
      },
    },
    { socket },
  );
  for (const data of ["1", "2", "3", "4", "5", "6", "7"]) void live.message(data);
  expect(socket.calls).toEqual(["pause"]);
  gate.resolve();
  await live.running;
  expect(socket.calls).toEqual(["pause", "resume"]);
  expect(seen).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
});

test("where the socket can't be paused, one message over maxQueued closes with 1013", async () => {
  const { live, socket } = open({ maxQueued: 2, message: () => new Promise<void>(() => {}) });
  for (const data of ["runs", "waits", "waits too", "too many"]) void live.message(data);
  expect(socket.calls).toEqual(["close 1013 Too many messages queued"]);
});

test("close() discards what is queued, and no message hook runs after it", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const { live } = open({
    async message(connection: Connection, data) {
      seen.push(String(data));
      await gate.promise;
      connection.close(4000, "enough");
    },
    close: (_, closing) => void seen.push(`close ${closing.code} ${closing.initiator}`),
  });
  void live.message("a");
  void live.message("b");
  gate.resolve();
  await settle();
  void live.message("c");
  void live.ended(4000, "enough");
  await live.finished;
  expect(seen).toEqual(["a", "close 4000 server"]);
});

test("what can't be run at all is logged, and those that wait have their turn", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const ran: unknown[] = [];
  const mailbox = new Mailbox<string>({
    run(kind, payload) {
      if (kind === "throws") throw new Error("not even run");
      if (kind === "rejects") return Promise.reject(new Error("not even run"));
      if (kind === "slow") return Promise.resolve();
      ran.push(payload);
    },
    waits: () => {},
    elapsed: () => 0,
  });
  mailbox.post("throws", 0);
  expect(mailbox.busy).toBe(false);
  for (const [index, kind] of ["rejects", "fine", "throws", "slow", "throws", "rejects", "fine"].entries()) void mailbox.post(kind, index);
  await mailbox.running;
  expect([ran, mailbox.busy, mailbox.waiting, mailbox.running]).toEqual([[1, 6], false, 0, undefined]);
  expect(log).toHaveBeenCalledTimes(5);
  log.mockRestore();
});
