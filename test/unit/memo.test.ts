import { expect, test, vi } from "vitest";
import { memo } from "../../src/values/memo.ts";

test("each text is asked for once; what is longer than allowed is never remembered, and all are forgotten at the most", () => {
  const make = vi.fn((text: string) => text.length);
  const length = memo(2, make, 10);
  for (const text of ["a", "bb", "a", "bb"]) expect(length(text)).toBe(text.length);
  expect(make).toHaveBeenCalledTimes(2);
  for (let round = 0; round < 3; round++) expect(length("x".repeat(11))).toBe(11);
  expect(make).toHaveBeenCalledTimes(5);
  // The long one has taken no place.
  length("a");
  expect(make).toHaveBeenCalledTimes(5);
  length("ccc");
  length("a");
  expect(make).toHaveBeenCalledTimes(7);
});
