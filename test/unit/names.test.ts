import { array, assert, constant, constantFrom, integer, oneof, option, property, record } from "fast-check";
import { expect, test } from "vitest";
import { SmallMap } from "../../src/values/small-map.ts";

const name = constantFrom("a", "b", "c", "");
const step = oneof(
  record({ what: constant("set" as const), name, value: option(integer(), { nil: undefined }) }),
  record({ what: constant("delete" as const), name }),
);

test("names hold what a map would, whatever is set and deleted in whatever order", () => {
  assert(
    property(array(step, { maxLength: 30 }), (steps) => {
      const names = new SmallMap<number | undefined>();
      const map = new Map<string, number | undefined>();
      for (const one of steps) {
        if (one.what === "set") {
          names.set(one.name, one.value);
          map.set(one.name, one.value);
        } else {
          names.delete(one.name);
          map.delete(one.name);
        }
        for (const key of ["a", "b", "c", "", "never"]) expect(names.get(key)).toBe(map.get(key));
        expect([...names.values()].toSorted()).toEqual([...map.values()].toSorted());
      }
    }),
    { numRuns: 500 },
  );
});

test("one that is deleted while they are gone through does not come", () => {
  const names = new SmallMap<string>();
  for (const key of ["a", "b", "c"]) names.set(key, key);
  const seen: string[] = [];
  for (const value of names.values()) {
    seen.push(value);
    names.delete(value);
    names.delete("c");
  }
  expect(seen).toEqual(["a", "b"]);
});
