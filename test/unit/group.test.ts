import { expect, test } from "vitest";
import { CompactSet } from "../../src/values/compact-set.ts";

test.each([3, 100])("a group of %i is a set in the order in which its members came", (size) => {
  const members = Array.from({ length: size }, (_, index) => ({ index }));
  const group = new CompactSet<{ index: number }>();
  for (const one of members) group.add(one);
  const [first, second] = members as [{ index: number }, { index: number }];
  expect([group.size, group.has(first), group.has({ index: 0 })]).toEqual([size, true, false]);
  expect([group.delete({ index: 0 }), group.delete(first), group.delete(first), group.has(first)]).toEqual([false, true, false, false]);
  group.add(first);
  expect([...group]).toEqual([...members.slice(1), first]);
  expect([...group.set]).toEqual([...members.slice(1), first]);
  expect(group.delete(second)).toBe(true);
  expect(group.size).toBe(size - 1);
});

test.each([3, 100])("of %i that leave while somebody goes through them nobody is missed", (size) => {
  const group = new CompactSet<number>();
  for (let one = 0; one < size; one++) group.add(one);
  const seen: number[] = [];
  for (const one of group) {
    seen.push(one);
    group.delete(one);
  }
  expect([seen.length, group.size]).toEqual([size, 0]);
});

test("the set shows at once that one has left", () => {
  const group = new CompactSet<number>();
  for (const one of [1, 2, 3]) group.add(one);
  const seen: number[] = [];
  for (const one of group.set) {
    seen.push(one);
    group.delete(2);
  }
  expect(seen).toEqual([1, 3]);
});
