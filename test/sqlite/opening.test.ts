/** A file that can't be used: the error says which, why, and what to do. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import { attach, serve } from "edgewire/node";
import { sqlite } from "edgewire/sqlite";
import { expect, onTestFinished, test } from "vitest";
import { counts, newFile, rowsOf } from "./file.ts";

const handler = defineHandler({
  async message(connection, data) {
    await connection.room.storage.set("last", data);
    connection.send("stored");
  },
});

/** Why a handler can't be served from this file. */
function refusal(path: string, options = {}): string {
  try {
    void memory(handler, { storage: sqlite(path, options) }).close();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was opened");
}

async function say(path: string, message: string, options = {}): Promise<void> {
  const server = memory(handler, { storage: sqlite(path, options) });
  const client = await server.connect();
  client.send(message);
  expect(await client.next()).toBe("stored");
  await server.close();
}

test("a folder that is not there, a folder, text, another application's database", () => {
  const file = newFile();
  const folder = dirname(file);
  expect(refusal(join(folder, "no", "rooms.db"))).toContain(
    `there is no folder ${JSON.stringify(join(folder, "no"))}: create it first [EW908]`,
  );
  mkdirSync(join(folder, "dir.db"));
  expect(refusal(join(folder, "dir.db"))).toContain("it is a folder: name a file");
  writeFileSync(file, "not a database, but text that is longer than a page's header would be, ".repeat(30));
  expect(refusal(file)).toBe(`sqlite(${JSON.stringify(file)}): it is not a SQLite database [EW902]`);
  const other = join(folder, "other.db");
  const database = new DatabaseSync(other);
  database.exec("CREATE TABLE customers(id)");
  database.close();
  expect(refusal(other)).toContain("it is another application's database: give Edgewire a file of its own [EW918]");
  expect(rowsOf(other, "SELECT name FROM sqlite_schema")).toEqual([{ name: "customers" }]);
});

test("a file of a newer version is not touched", async () => {
  const file = newFile();
  await say(file, "hello");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA user_version = 9");
  database.close();
  expect(refusal(file)).toContain(
    "it has format 9, and this version of Edgewire reads formats up to 2: it was written by a newer one [EW919]",
  );
  expect(rowsOf(file, "PRAGMA user_version")).toEqual([{ user_version: 9 }]);
});

test("an empty file is a new one", async () => {
  const file = newFile();
  writeFileSync(file, "");
  await say(file, "hello");
  expect(counts(file)).toEqual({ room: 1, value: 1, topic: 0, log: 0 });
});

test("a file that may not be written", async () => {
  const file = newFile();
  await say(file, "hello");
  chmodSync(file, 0o444);
  chmodSync(dirname(file), 0o555);
  const program = `
    import { defineHandler } from "edgewire"; import { memory } from "edgewire/memory"; import { sqlite } from "edgewire/sqlite";
    if (process.getuid() === 0) process.setuid(65534);
    try { memory(defineHandler({}), { storage: sqlite(${JSON.stringify(file)}) }); console.log("opened"); } catch (error) { console.log(error.message); }`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
  });
  chmodSync(dirname(file), 0o755);
  expect(stdout).toMatch(/it can't be (written|opened).*: check the permissions of the file and its folder/);
});

test("a damaged page is told of where it is read, and the rest goes on", async () => {
  const file = newFile();
  for (let index = 0; index < 40; index++) await say(file, `${index}`.repeat(400));
  const bytes = readFileSync(file);
  const pages = bytes.length / 4096;
  expect(pages).toBeGreaterThan(8);
  // The header and the schema stay.
  const roots = rowsOf(file, "SELECT rootpage FROM sqlite_schema WHERE name = 'value'");
  bytes.fill(0xa5, (Number(roots[0]!["rootpage"]) - 1) * 4096, Number(roots[0]!["rootpage"]) * 4096);
  writeFileSync(file, bytes);
  const errors: string[] = [];
  const told = defineHandler({
    async message(connection) {
      await connection.room.storage.get("last");
    },
    error: (error) => void errors.push(String(error)),
  });
  const server = memory(told, { storage: sqlite(file) });
  const client = await server.connect();
  client.send("read");
  expect(await client.closed).toEqual({ code: 1011, reason: "Internal error" });
  expect(errors.join()).toContain(
    "the file is damaged: restore a backup, or rescue what can be read with the sqlite3 command's .recover [EW906]",
  );
  await server.close();
});

test("a second process waits for the first, and then says which it is", { timeout: 20_000 }, async () => {
  const file = newFile();
  const program = `
    import { defineHandler } from "edgewire"; import { memory } from "edgewire/memory"; import { sqlite } from "edgewire/sqlite";
    const server = memory(defineHandler({}), { storage: sqlite(${JSON.stringify(file)}) });
    console.log("open"); setTimeout(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  expect(refusal(file)).toBe(
    `sqlite(${JSON.stringify(file)}): process ${child.pid} has it open, and only one can: end that one first. For copies use backup(path) [EW907]`,
  );
  // Nothing of the refused attempt is left: the first one goes on, and once it is killed the file is free at once.
  child.kill("SIGKILL");
  await once(child, "exit");
  await say(file, "next");
  expect(existsSync(`${file}-pid`)).toBe(false);
});

test("one process: servers share the file, under names of their own", async () => {
  const file = newFile();
  const first = memory(handler, { storage: sqlite(file) });
  expect(refusal(file)).toContain(
    'two handlers keep rooms under the name "": give each a name, by its option "binding" or sqlite(path, { name }) [EW915]',
  );
  expect(refusal(file, { name: "x", durability: "power" })).toContain(
    'it is open with durability "process": open it with the same everywhere [EW912]',
  );
  const second = memory(handler, { storage: sqlite(pathToFileURL(file), { name: "second" }) });
  const [one, other] = [await first.connect(), await second.connect()];
  one.send("first");
  other.send("second");
  await Promise.all([one.next(), other.next()]);
  await first.close();
  // Still open for the other.
  other.send("second again");
  await other.next();
  await second.close();
  expect(counts(file)).toEqual({ room: 2, value: 2, topic: 0, log: 0 });
  await say(file, "free again");
});

test("a server that can't start leaves the file free", async () => {
  const file = newFile();
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const { port } = blocker.address() as { port: number };
  await expect(serve(handler, { port, hostname: "127.0.0.1", storage: sqlite(file) })).rejects.toMatchObject({ code: "EADDRINUSE" });
  const attached = attach(blocker, handler, { path: "/ws", storage: sqlite(file) });
  const other = newFile();
  expect(() => attach(blocker, handler, { path: "/ws", storage: sqlite(other) })).toThrow("is attached to this server already");
  await say(other, "free");
  // An app's handlers are known only later, its file at once.
  const fetch = (): Response => new Response();
  await expect(serve({ fetch, storage: sqlite(join(dirname(file), "no", "rooms.db")) })).rejects.toThrow("there is no folder");
  const app = await serve({ fetch, hostname: "127.0.0.1", storage: sqlite(other), signals: false });
  await app.close();
  await say(other, "free again");
  await attached.close();
  blocker.close();
  await say(file, "free");
});

test("a copy is made while it runs", async () => {
  const file = newFile();
  const storage = sqlite(file);
  await expect(storage.backup(`${file}.copy`)).rejects.toThrow("no server has started with it yet");
  const server = memory(handler, { storage });
  const client = await server.connect();
  client.send("kept");
  await client.next();
  await storage.backup(`${file}.copy`);
  await expect(storage.backup(`${file}.copy`)).rejects.toThrow(/backup to .* failed: output file already exists/);
  await expect(storage.backup("")).rejects.toThrow('backup takes the path of a file, not "" [EW921]');
  await server.close();
  expect(counts(`${file}.copy`)).toEqual({ room: 1, value: 1, topic: 0, log: 0 });
});

test("options and paths that are wrong", () => {
  expect(() => sqlite("")).toThrow(TypeError);
  expect(() => sqlite(":memory:")).toThrow("without the option storage, rooms are in memory");
  expect(() => sqlite("file:rooms.db")).toThrow("sqlite takes the path of a file");
  expect(() => sqlite(new URL("https://example.com/rooms.db"))).toThrow(TypeError);
  expect(() => sqlite(7 as never)).toThrow("sqlite takes the path of a file, not 7");
  expect(() => sqlite("rooms.db", { nme: "x" } as never)).toThrow('sqlite: unknown option "nme": options are name, durability [EW105]');
  expect(() => sqlite("rooms.db", { name: "x".repeat(513) })).toThrow("at most 512 bytes");
  expect(() => sqlite("rooms.db", { durability: "disk" as never })).toThrow('must be "process" or "power", not "disk"');
  expect(() => memory(handler, { storage: {} as never })).toThrow(
    'memory: option "storage" must be what sqlite() of "edgewire/sqlite" returns',
  );
});

test("format 1, as the first version wrote it, is read", async () => {
  const file = newFile();
  copyFileSync(join(import.meta.dirname, "format-1.db"), file);
  const kept = defineHandler({ history: { news: { messages: 10 } } });
  const server = memory(kept, { storage: sqlite(file) });
  const { entries, complete } = await server.room("lobby").history("news");
  expect(entries.map(({ data }) => data)).toEqual(["one", "two", Uint8Array.of(3, 0, 3)]);
  expect(complete).toBe(true);
  await server.close();
  expect(rowsOf(file, "SELECT CAST(key AS TEXT) AS key, value FROM value WHERE key LIKE 'value:%'")).toEqual([
    { key: "value:ключ\0", value: '{"$":"Map","value":[["a",1]]}' },
  ]);
});
