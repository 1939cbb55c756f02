/** docs/recipes/yjs.md: documents that are edited with y-websocket, over cuts and evictions, converge and stay. */
import { rmSync } from "node:fs";
import { memory } from "edgewire/memory";
import type { RoomValues } from "edgewire";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { WebsocketProvider } from "y-websocket";
import type * as Y from "yjs";
import { start, startWorker, type Runtime } from "../docs/run.ts";
import { writeRecipe } from "./page.ts";

const file = writeRecipe("yjs");
let openNotes: (url: string, options: object) => Notes;
let yjs: Parameters<typeof memory>[0];
beforeAll(async () => {
  ({ openNotes } = (await import(file("yjs-page.ts"))) as { openNotes: typeof openNotes });
  ({ yjs } = (await import(file("yjs.ts"))) as { yjs: typeof yjs });
});

interface Notes {
  readonly doc: Y.Doc;
  readonly provider: WebsocketProvider;
  readonly text: Y.Text;
}

/** Where the notes are, and what can be done to them. */
interface Place {
  readonly url: string;
  readonly WebSocket: unknown;
  /** Forgets what is in memory, if the runtime can. */
  evict(): Promise<void>;
}

function open({ url, WebSocket: WebSocketPolyfill }: Place, name: string): Notes {
  const notes = openNotes(url, { WebSocketPolyfill, disableBc: true });
  notes.provider.awareness.setLocalState({ name });
  onTestFinished(() => notes.provider.destroy());
  return notes;
}

const written = ({ text }: Notes): string => text.toJSON();
const namesIn = ({ provider }: Notes): string[] =>
  Array.from(provider.awareness.getStates().values(), (state) => String(state["name"])).toSorted();
const synced = async ({ provider }: Notes): Promise<void> => {
  await expect.poll(() => provider.synced).toBe(true);
};
const append = (notes: Notes, text: string): void => notes.text.insert(notes.text.length, text);

/** As a lost network: without a close frame. It stays away until `connect`. */
function cut({ provider }: Notes): void {
  const socket = provider.ws as unknown as WebSocket;
  socket.terminate();
  provider.disconnect();
}

async function edit(place: Place): Promise<void> {
  const [ada, bob] = [open(place, "Ada"), open(place, "Bob")];
  await Promise.all([synced(ada), synced(bob)]);
  append(ada, "one ");
  await expect.poll(() => written(bob)).toBe("one ");
  await place.evict();
  append(bob, "two ");
  await expect.poll(() => written(ada)).toBe("one two ");

  cut(ada);
  cut(bob);
  append(ada, "Ada's ");
  append(bob, "Bob's ");
  await place.evict();
  ada.provider.connect();
  bob.provider.connect();
  await expect.poll(() => written(ada).length).toBe("one two Ada's Bob's ".length);
  await expect.poll(() => written(bob)).toBe(written(ada));
  for (const part of ["Ada's ", "Bob's "]) expect(written(ada)).toContain(part);

  // A cursor that moves is there again. What a silent object has lost from memory is sent to who comes.
  for (const { provider } of [ada, bob]) provider.awareness.setLocalStateField("at", 3);
  await expect
    .poll(() => [namesIn(ada), namesIn(bob)])
    .toEqual([
      ["Ada", "Bob"],
      ["Ada", "Bob"],
    ]);
  await place.evict();
  const eve = open(place, "Eve");
  await expect.poll(() => [written(eve), namesIn(eve)]).toEqual([written(ada), ["Ada", "Bob", "Eve"]]);
  await place.evict();
  bob.provider.destroy();
  await expect
    .poll(() => [namesIn(ada), namesIn(eve)])
    .toEqual([
      ["Ada", "Eve"],
      ["Ada", "Eve"],
    ]);
  await place.evict();
  cut(eve);
  await expect.poll(() => namesIn(ada)).toEqual(["Ada"]);
  ada.provider.destroy();
}

/** Nobody who has it is there. */
async function comeLate(place: Place): Promise<void> {
  const late = open(place, "Late");
  await synced(late);
  expect(written(late)).toMatch(/^one two (?:Ada's Bob's |Bob's Ada's )$/);
  late.provider.destroy();
}

/** What is no update of Yjs ends the connection, and leaves nothing behind. */
async function garbage(place: Place): Promise<void> {
  const Client = place.WebSocket as typeof WebSocket;
  for (const [sent, code] of [
    [Uint8Array.of(0, 2, 3, 1, 200, 200), 1011],
    [Uint8Array.of(1, 5, 9), 1011],
    ["text", 1003],
  ] as const) {
    const socket = new Client(`${place.url}/notes`);
    const closed = new Promise<number>((resolve) => (socket.onclose = (event) => resolve(event.code)));
    socket.onopen = () => socket.send(sent);
    expect(await closed).toBe(code);
  }
}

const quiet = async (): Promise<void> => {};

test.each<Runtime>(["node", "bun", "deno"])("on %s, kept in a file when the process is killed", async (runtime) => {
  rmSync(file("documents.db"), { force: true });
  const place = (port: number): Place => ({ url: `ws://127.0.0.1:${port}`, WebSocket, evict: quiet });
  {
    await using server = await start(runtime, file("yjs-server.ts"), 0, { log: () => {} });
    await edit(place(server.port));
    await garbage(place(server.port));
  }
  await using server = await start(runtime, file("yjs-server.ts"));
  await comeLate(place(server.port));
});

test("on a Durable Object, which is evicted in between", async () => {
  await using worker = await startWorker(file("yjs-worker.ts"), { DOCUMENTS: "Documents" }, { log: () => {} });
  const evict = (): Promise<void> => worker.evict("Documents", "notes");
  const place = { url: `ws://127.0.0.1:${worker.port}`, WebSocket, evict };
  await edit(place);
  await garbage(place);
  await evict();
  await comeLate(place);
});

/** Rows that the test can see, and break. */
class Rows implements RoomValues {
  readonly kept = new Map<string, string>();
  broken = false;
  get(key: string): string | undefined {
    return this.kept.get(key);
  }
  set(key: string, value: string): void {
    this.kept.set(key, value);
  }
  delete(key: string): boolean {
    return this.kept.delete(key);
  }
  list({ prefix, after, limit }: Parameters<RoomValues["list"]>[0]): [string, string][] {
    const all = [...this.kept].filter(([key]) => key.startsWith(prefix) && key > (after ?? "")).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return all.slice(0, limit);
  }
  clear(): void {
    this.kept.clear();
  }
  apply(changes: ReadonlyMap<string, string | undefined>): void {
    if (this.broken) throw new Error("the disk is full");
    for (const [key, value] of changes) {
      if (value === undefined) this.kept.delete(key);
      else this.kept.set(key, value);
    }
  }
}

/** The same, with rows that can be seen. */
function inMemory(): Place & { readonly rows: Rows; settled(): Promise<void> } {
  const rows = new Rows();
  const server = memory(yjs, { storage: () => rows });
  onTestFinished(() => server.close());
  const evict = (): Promise<void> => server.hibernate();
  return { url: "ws://localhost", WebSocket: server.WebSocket, evict, rows, settled: () => server.settled() };
}

test("in memory, hibernating in between", async () => {
  const place = inMemory();
  await edit(place);
  await comeLate(place);
});

test("many updates become one row, and a long one takes several", async () => {
  const place = inMemory();
  const ada = open(place, "Ada");
  await synced(ada);
  for (let count = 0; count < 600; count++) append(ada, "x");
  await place.settled();
  expect(place.rows.kept.size).toBeLessThan(501);
  ada.text.insert(0, "long ".repeat(220_000));
  await place.settled();
  expect(Math.max(...Array.from(place.rows.kept.values(), ({ length }) => length))).toBeLessThan(1024 * 1024);
  await place.evict();
  ada.provider.destroy();
  const late = open(place, "Late");
  await expect.poll(() => written(late) === written(ada)).toBe(true);
});

test("an update that could not be stored comes again", async () => {
  const place = inMemory();
  const [ada, bob] = [open(place, "Ada"), open(place, "Bob")];
  await Promise.all([synced(ada), synced(bob)]);
  place.rows.broken = true;
  using log = vi.spyOn(console, "error").mockImplementation(() => {});
  const closed = new Promise<number | undefined>((resolve) => ada.provider.once("connection-close", (event) => resolve(event?.code)));
  append(ada, "kept");
  expect(await closed).toBe(1011);
  expect(String(log.mock.lastCall)).toContain("the disk is full");
  expect([written(bob), place.rows.kept.size]).toEqual(["", 0]);
  place.rows.broken = false;
  await expect.poll(() => written(bob)).toBe("kept");
  expect(place.rows.kept.size).toBe(1);
});
