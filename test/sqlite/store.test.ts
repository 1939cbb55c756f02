/** What a room keeps in the file is what memory would keep: the ports of values, logs and appointments against simple models. */
import * as fc from "fast-check";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import type { OpenStorage, Store } from "../../src/ports.ts";
import { sqlite } from "edgewire/sqlite";
import { expect, onTestFinished, test } from "vitest";
import { counts, newFile } from "./file.ts";

function opened(): { storage: OpenStorage; file: string; again(): OpenStorage } {
  const file = newFile();
  let storage = sqlite(file).open("");
  onTestFinished(() => storage.close());
  return {
    file,
    storage,
    again() {
      storage.close();
      return (storage = sqlite(file).open(""));
    },
  };
}

const key = fc.constantFrom("a", "ab", "b", "a\0", "é", "é\u{10ffff}", "\u{ffff}", "value:", "value:1", "z");
const anyPrefix = fc.constantFrom("", "a", "value:", "é", "\u{ffff}");
const value = fc.string({ unit: "grapheme", maxLength: 5 });
type Command =
  | readonly ["set", string, string]
  | readonly ["delete" | "clear", string]
  | readonly ["list", string, string | undefined, number | undefined]
  | readonly ["together", readonly Command[], boolean];
const single: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(fc.constant("set" as const), key, value),
  fc.tuple(fc.constant("delete" as const), key),
  fc.tuple(fc.constant("clear" as const), anyPrefix),
  fc.tuple(
    fc.constant("list" as const),
    anyPrefix,
    fc.option(key, { nil: undefined }),
    fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  ),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: single },
  { weight: 1, arbitrary: fc.tuple(fc.constant("together" as const), fc.array(single, { maxLength: 4 }), fc.boolean()) },
);

function apply(store: Store, [name, ...args]: Command): unknown {
  if (name === "set") return store.set(args[0] as string, args[1] as string);
  if (name === "delete") return store.delete(args[0] as string);
  if (name === "clear") return store.clear(args[0] as string);
  if (name === "list") {
    const [prefix, after, limit] = args as [string, string | undefined, number | undefined];
    return [...store.list({ prefix, after, limit })];
  }
  const [commands, fails] = args as [readonly Command[], boolean];
  const results: unknown[] = [];
  try {
    store.atomically(() => {
      for (const one of commands) results.push(apply(store, one));
      if (fails) throw new Error("undone");
    });
  } catch (error) {
    results.push((error as Error).message);
  }
  return results;
}

test("values: any sequence of calls, alone and together, done and undone, ends as in memory, and after a restart", async () => {
  const { file, storage, again } = opened();
  let rooms = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 20 }), fc.array(fc.nat(20)), async (commands, pauses) => {
      const room = `room ${rooms++}`;
      const [store, model] = [storage.store(room), new MemoryStore()];
      for (const [index, one] of commands.entries()) {
        expect(apply(store, one)).toEqual(apply(model, one));
        if (pauses.includes(index)) await storage.gate.pending;
      }
      expect(apply(store, ["list", "", undefined, undefined])).toEqual(apply(model, ["list", "", undefined, undefined]));
      for (const [name, text] of model.list({ prefix: "" })) expect(store.get(name)).toBe(text);
      await storage.gate.pending;
      expect(storage.storedNames("", 100_000).includes(room)).toBe(!model.isEmpty);
      store.clear("");
      await storage.gate.pending;
    }),
    { numRuns: 300 },
  );
  storage.store("last").set("a", "kept");
  const next = again();
  expect(next.store("last").get("a")).toBe("kept");
  next.close();
  expect(counts(file)).toEqual({ room: 1, value: 1, topic: 0, log: 0 });
  again();
});

type LogCommand = readonly ["append" | "trim" | "cut" | "turn" | "load" | "undone"];
const logCommand: fc.Arbitrary<LogCommand> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(["append"] as const) },
  fc.constantFrom(["trim"] as const, ["cut"] as const, ["turn"] as const, ["load"] as const, ["undone"] as const),
);

test("a topic's messages: each is there once and in order, whatever is trimmed, cut or undone, and after a restart", async () => {
  const { file, storage, again } = opened();
  let topics = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(logCommand, { maxLength: 200 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
      async (commands, sizes) => {
        const prefix = `history:${topics++}:`;
        const store = storage.store("room");
        const log = store.log!(prefix);
        const model: [offset: number, message: unknown][] = [];
        let head = 0;
        let needed = 1;
        const append = (): void => {
          const message = [`${head + 1}`, head, "x".repeat(sizes.next().value as number)];
          log.append(head + 1, JSON.stringify(message));
          model.push([++head, message]);
        };
        const stored = (): [number, unknown][] =>
          [...store.log!(prefix).load()].flatMap((row) => {
            const [first, ...messages] = JSON.parse(row) as [number, ...unknown[]];
            return messages.map((message, index): [number, unknown] => [first + index, message]);
          });
        for (const [name] of commands) {
          if (name === "append") append();
          else if (name === "turn") await storage.gate.pending;
          else if (name === "trim") log.trim((needed = Math.max(needed, head - 30)));
          else if (name === "cut" && head > needed) {
            needed = Math.max(needed, head - 5);
            const stub = ["cut", head];
            log.cut(needed, JSON.stringify(stub));
            const at = model.findIndex(([offset]) => offset === needed - 1);
            if (at >= 0) model.splice(0, at + 1, [needed - 1, stub]);
          } else if (name === "undone") {
            const before = [...model];
            const [headBefore] = [head];
            expect(() =>
              store.atomically(() => {
                append();
                append();
                throw new Error("undone");
              }),
            ).toThrow("undone");
            model.splice(0, model.length, ...before);
            head = headBefore;
          }
          if (name === "load")
            expect(stored().filter(([offset]) => offset >= needed)).toEqual(model.filter(([offset]) => offset >= needed));
        }
        expect(stored().filter(([offset]) => offset >= needed)).toEqual(model.filter(([offset]) => offset >= needed));
        expect(stored().length).toBeLessThanOrEqual(model.filter(([offset]) => offset >= needed).length + 200);
        store.clear(prefix);
        expect(stored()).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
  await storage.gate.pending;
  storage.close();
  expect(counts(file)).toEqual({ room: 0, value: 0, topic: 0, log: 0 });
  again();
});

test("appointments: the earliest first, by handler, and none for a room that has none", async () => {
  const { storage, file } = opened();
  const other = sqlite(file, { name: "other" }).open("");
  const { appointments } = storage;
  expect(appointments.first()).toBeUndefined();
  for (const [room, time] of [
    ["c", 30],
    ["a", 10],
    ["b", 20.5],
  ] as const)
    appointments.set(room, time);
  other.appointments.set("a", 1);
  expect(appointments.first()).toBe(10);
  expect(appointments.due(20.5, 10)).toEqual(["a", "b"]);
  expect(appointments.due(100, 2)).toEqual(["a", "b"]);
  expect(appointments.of("b")).toBe(20.5);
  appointments.set("a", undefined);
  appointments.set("b", 8.64e15);
  expect([appointments.of("a"), appointments.first(), appointments.due(Date.now(), 10)]).toEqual([undefined, 30, ["c"]]);
  await storage.gate.pending;
  expect(storage.storedNames("", 10)).toEqual(["b", "c"]);
  expect(storage.storedNames("b", 10)).toEqual(["c"]);
  expect(other.storedNames("", 10)).toEqual(["a"]);
  other.close();
});
