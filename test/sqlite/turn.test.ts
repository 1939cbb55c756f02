/** One turn is one transaction, and nobody is shown anything before it is committed. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import { sqlite } from "edgewire/sqlite";
import { expect, onTestFinished, test } from "vitest";
import { failWhere } from "./failing.ts";
import { counts, newFile, rowsOf } from "./file.ts";

const full = "database or disk is full";

test("what all rooms write in one turn is committed once, before anything that was sent arrives", async () => {
  const log: string[] = [];
  failWhere((sql) => {
    if (/^(BEGIN|COMMIT)/.test(sql)) log.push(sql);
    return undefined;
  });
  const handler = defineHandler({
    upgrade: (request) => ({ room: new URL(request.url).searchParams.get("room") ?? "" }),
    history: { news: { messages: 10 } },
    open: (connection) => connection.subscribe("news"),
    message(connection, data) {
      void connection.room.storage.set("last", data);
      connection.send("answered");
      connection.room.publish("news", data);
    },
  });
  const server = memory(handler, { storage: sqlite(newFile()) });
  const clients = await Promise.all(["a", "b", "c"].map((room) => server.connect(`ws://localhost/?room=${room}`)));
  await turn();
  log.length = 0;
  for (const client of clients) client.send("hello");
  for (const client of clients) {
    expect(await client.next()).toBe("answered");
    log.push("arrived");
    expect(await client.next()).toBe("hello");
  }
  expect(log).toEqual(["BEGIN", "COMMIT", "arrived", "arrived", "arrived"]);
  await server.close();
});

test("a turn that writes nothing holds nothing", async () => {
  const handler = defineHandler({ message: (connection, data) => void connection.send(data) });
  const server = memory(handler, { storage: sqlite(newFile()) });
  const client = await server.connect();
  let answered = false;
  void client.next().then(() => (answered = true));
  client.send("x");
  for (let microtask = 0; microtask < 20; microtask++) await Promise.resolve();
  expect(answered).toBe(true);
  await server.close();
});

test("callers from outside are answered after the commit", async () => {
  let commits = 0;
  failWhere((sql) => {
    if (sql === "COMMIT") commits++;
    return undefined;
  });
  const server = memory(defineHandler({ history: { news: {} } }), { storage: sqlite(newFile()) });
  expect(await server.room("a").publish("news", "one")).toBe(0);
  expect(commits).toBe(1);
  expect((await server.room("a").history("news")).entries).toHaveLength(1);
  await server.close();
});

test("a commit that fails: nobody is shown its turn, those who waited end, the error is told once, and everything is as before", async () => {
  const file = newFile();
  const errors: unknown[][] = [];
  const handler = defineHandler({
    history: { news: { messages: 10 } },
    async open(connection) {
      connection.subscribe("news");
      await connection.room.storage.get("opened");
    },
    async message(connection, data) {
      const { storage } = connection.room;
      if (data === "sync") {
        void storage.set("state", "new");
        await storage.sync();
        return;
      }
      void storage.set("state", data);
      connection.room.publish("news", data);
    },
    error: (error, { hook }) => void errors.push([hook, String(error)]),
  });
  const server = memory(handler, { storage: sqlite(file) });
  const [reader, writer] = [await server.connect(), await server.connect()];
  writer.send("before");
  expect([await reader.next(), await writer.next()]).toEqual(["before", "before"]);
  const { position } = await server.room("default").history("news");
  let failing = true;
  // A turn of one statement has no COMMIT.
  let last = "COMMIT";
  failWhere((sql) => (failing && sql.startsWith(last) ? full : undefined));
  writer.send("lost");
  expect(await reader.closed).toEqual({ code: 1011, reason: "Internal error" });
  expect(await writer.closed).toEqual({ code: 1011, reason: "Internal error" });
  await expect(reader.next()).rejects.toThrow("1011");
  expect(errors).toEqual([["storage", `Error: sqlite(${JSON.stringify(file)}): SQLite failed: ${full} [EW905]`]]);
  // A hook that waits for the disk learns of it, and so does a caller.
  const waiting = await server.connect();
  waiting.send("sync");
  expect((await waiting.closed).code).toBe(1011);
  expect(errors.slice(1).map(([hook]) => hook)).toEqual(["storage", "message"]);
  last = "REPLACE INTO log";
  await expect(server.room("default").publish("news", "lost too")).rejects.toThrow(full);
  failing = false;
  const next = await server.connect();
  next.send("after");
  expect(await next.next()).toBe("after");
  const { entries, complete } = await server.room("default").history("news", { after: position });
  expect(entries.map(({ data, position: at }) => [data, at.split(".")[1]])).toEqual([["after", "2"]]);
  expect(complete).toBe(true);
  await server.close();
  expect(rowsOf(file, "SELECT value FROM value WHERE CAST(key AS TEXT) = 'value:state'")).toEqual([{ value: '"after"' }]);
});

test("a write that fails dooms the rest of its turn, and is thrown where it is made", async () => {
  const file = newFile();
  const errors: string[] = [];
  const caught: string[] = [];
  const handler = defineHandler({
    history: { news: { messages: 10 } },
    open: (connection) => connection.subscribe("news"),
    message(connection, data) {
      void connection.room.storage.set("state", data).catch((error: Error) => caught.push(error.message));
      try {
        connection.room.publish("news", data);
      } catch (error) {
        caught.push((error as Error).message);
      }
      connection.send("done");
    },
    error: (error, { hook }) => void errors.push(`${hook}: ${String(error)}`),
  });
  const server = memory(handler, { storage: sqlite(file) });
  const client = await server.connect();
  let failing = true;
  failWhere((sql) => (failing && sql.startsWith("INSERT INTO value") ? "disk I/O error" : undefined));
  client.send("lost");
  expect((await client.closed).code).toBe(1011);
  const told = `sqlite(${JSON.stringify(file)}): SQLite failed: disk I/O error [EW905]`;
  expect(caught).toEqual([told, told]);
  expect(errors).toEqual([`storage: Error: ${told}`]);
  failing = false;
  const next = await server.connect();
  next.send("kept");
  expect([await next.next(), await next.next()]).toEqual(["kept", "done"]);
  await server.close();
  expect(counts(file)).toEqual({ room: 1, value: 2, topic: 1, log: 1 });
});

test("as soon as `highWaterMark` bytes are held for a client, the turn is committed", async () => {
  const order: string[] = [];
  failWhere((sql) => {
    if (sql === "COMMIT") order.push("commit");
    return undefined;
  });
  const handler = defineHandler({
    highWaterMark: 1000,
    message(connection) {
      void connection.room.storage.set("a", 1);
      connection.send("x".repeat(100));
      order.push("held");
      connection.send("x".repeat(900));
      order.push("sent");
      void connection.room.storage.set("b", 1);
      connection.close(4000, "order");
    },
  });
  const server = memory(handler, { storage: sqlite(newFile()) });
  const client = await server.connect();
  client.send("go");
  expect((await client.next()).length).toBe(100);
  expect((await client.next()).length).toBe(900);
  expect(await client.closed).toEqual({ code: 4000, reason: "order" });
  expect(order).toEqual(["held", "commit", "sent", "commit"]);
  await server.close();
});

test("if a commit in mid-turn fails, the rest of the turn is undone with it", async () => {
  const file = newFile();
  const handler = defineHandler({
    highWaterMark: 1000,
    message(connection) {
      void connection.room.storage.set("a", 1);
      connection.send("x".repeat(2000));
      void connection.room.storage.set("b", 1).catch(() => {});
      connection.send("shown");
    },
    error: () => {},
  });
  const server = memory(handler, { storage: sqlite(file) });
  const client = await server.connect();
  let commits = 0;
  failWhere((sql) => (sql === "COMMIT" && commits++ === 0 ? full : undefined));
  client.send("go");
  await expect(client.next()).rejects.toThrow("1011");
  await server.close();
  expect(counts(file)).toEqual({ room: 0, value: 0, topic: 0, log: 0 });
});

test("what close hooks do while a turn is released comes after it, and waits for a commit of its own", async () => {
  const file = newFile();
  const handler = defineHandler({
    history: { news: { messages: 10 } },
    open: (connection) => connection.subscribe("news"),
    message(connection, data) {
      connection.room.publish("news", data);
      if (data === "kick") for (const peer of connection.peers()) if (peer !== connection) peer.terminate();
    },
    close: (connection) => void connection.room.publish("news", "left"),
  });
  const server = memory(handler, { storage: sqlite(file) });
  const [one, other] = [await server.connect(), await server.connect()];
  one.send("kick");
  expect([await one.next(), await one.next()]).toEqual(["kick", "left"]);
  expect(await other.closed).toEqual({ code: 1006, reason: "" });
  await one.close();
  await server.close();
  expect(
    rowsOf(file, "SELECT entries FROM log ORDER BY id").flatMap(({ entries }) =>
      (JSON.parse(String(entries)) as unknown[]).slice(1).map((entry) => (entry as unknown[])[2]),
    ),
  ).toEqual(["kick", "left", "left"]);
});

test("bytes that are held can't be changed by their sender", async () => {
  const handler = defineHandler({
    open: (connection) => connection.subscribe("raw"),
    message(connection) {
      void connection.room.storage.set("a", 1);
      const bytes = Uint8Array.of(1, 2, 3);
      connection.send(bytes);
      connection.send(bytes.subarray(1));
      connection.room.publish("raw", bytes);
      bytes.fill(9);
    },
  });
  const server = memory(handler, { storage: sqlite(newFile()) });
  const client = await server.connect();
  client.send("go");
  expect([await client.next(), await client.next(), await client.next()]).toEqual([
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(2, 3),
    Uint8Array.of(1, 2, 3),
  ]);
  await server.close();
});

test("a full disk, a real one: nothing is shown that is not in the file, and once there is room again everything works", (context) => {
  const file = newFile();
  const disk = join(dirname(file), "disk");
  mkdirSync(disk);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=400k", "tmpfs", disk]).status !== 0)
    return context.skip("only root may mount a small disk");
  onTestFinished(() => void spawnSync("umount", [disk]));
  return fill(join(disk, "rooms.db"), () => spawnSync("mount", ["-o", "remount,size=4m", disk]));
});

async function fill(file: string, enlarge: () => void): Promise<void> {
  const errors: string[] = [];
  const handler = defineHandler({
    history: { news: { messages: 1000 } },
    open: (connection) => connection.subscribe("news"),
    message: (connection, data) => void connection.room.publish("news", data),
    error: (error, { hook }) => void errors.push(`${hook}: ${String(error)}`),
  });
  const server = memory(handler, { storage: sqlite(file) });
  let shown = 0;
  for (let failures = 0; failures < 3;) {
    const client = await server.connect();
    try {
      for (let sent = 0; sent < 100; sent++) {
        client.send("x".repeat(8000));
        await client.next();
        shown++;
      }
    } catch {
      failures++;
    }
  }
  expect(errors).toHaveLength(3);
  expect(errors[0]).toContain(full);
  expect((await server.room("default").history("news")).entries).toHaveLength(shown);
  enlarge();
  const client = await server.connect();
  client.send("room again");
  expect(await client.next()).toBe("room again");
  await server.close();
}
