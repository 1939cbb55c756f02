/** The option `path` of `attach`. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PathPattern } from "../../adapters/node/path.ts";

test.each([
  ["/ws", "/ws", {}],
  ["/", "/", {}],
  ["/ws/", "/ws/", {}],
  ["/a/b/c", "/a/b/c", {}],
  ["/chat/:room", "/chat/lobby", { room: "lobby" }],
  ["/:a/:b_2", "/x/y", { a: "x", b_2: "y" }],
  ["/:a/tail", "/x/tail", { a: "x" }],
  ["/files/*", "/files/", {}],
  ["/files/*", "/files/a/b/c", {}],
  ["/*", "/", {}],
  ["/*", "//", {}],
  ["/ws*", "/ws", {}],
  ["/ws*", "/wss/1", {}],
  ["/:room/*", "/lobby/a//b", { room: "lobby" }],
  // Equivalent spellings.
  ["/ws", "/%77s", {}],
  ["/caf%c3%a9", "/caf%C3%A9", {}],
  ["/café", "/caf%C3%A9", {}],
  ["/a b", "/a%20b", {}],
  ["/v1%3Awatch", "/v1:watch", {}],
  ["/100%25", "/100%25", {}],
  ["/caf%C3%A9*", "/café-noir", {}],
  ["/:name", "/%E2%82%AC", { name: "€" }],
  // An encoded slash is no separator.
  ["/chat/:room", "/chat/a%2Fb", { room: "a/b" }],
  // Invalid UTF-8 stays encoded.
  ["/:name", "/%ff%zz", { name: "%ff%zz" }],
  ["/:__proto__", "/x", Object.fromEntries([["__proto__", "x"]])],
])("%s matches %s", (pattern, path, params) => {
  expect(new PathPattern(pattern).match(path)).toEqual(params);
});

test.each([
  ["/ws", "/ws/"],
  ["/ws", "//ws"],
  ["/ws", "/WS"],
  ["/ws", "/"],
  ["/ws", "/ws/x"],
  ["/a/b", "/a%2Fb"],
  ["/chat/:room", "/chat/"],
  ["/chat/:room", "/chat"],
  ["/chat/:room", "/chat/a/b"],
  ["/chat/:room", "/chat//a"],
  ["/files/*", "/files"],
  ["/files/*", "/file/"],
  ["/ws*", "/w"],
  ["/:room/*", "//x"],
])("%s does not match %s", (pattern, path) => {
  expect(new PathPattern(pattern).match(path)).toBeUndefined();
});

test.each([
  ["ws", "does not begin with a slash"],
  ["", "does not begin with a slash"],
  ["*", "does not begin with a slash"],
  ["https://a.example/ws", "does not begin with a slash"],
  ["/a(\\d+)", "has a group with a regular expression"],
  ["/:id(\\d+)", "has a group with a regular expression"],
  ["/a{/b}?", "has a group in braces"],
  ["/a\\b", "has a backslash"],
  ["/a/:b?", "has a modifier"],
  ["/a/:b+", "has a modifier"],
  ["/a/:b*", "has a modifier"],
  ["/a/*?", "has a modifier"],
  ["/a?x=1", "has a query"],
  ["/a/?", "has a query"],
  ["/a#b", "has a fragment"],
  ["/a/:", "has a segment whose name is empty"],
  ["/:/b", "has a segment whose name is empty"],
  ["/:1", "has a segment whose name is empty, or does not begin with a letter"],
  ["/*/b", "has a * that is not its last character"],
  ["/**", "has a * that is not its last character"],
  ["/v1:watch", "has a colon within a segment: write %3A"],
  ["/:a-b", "has a name with more than letters, digits and _"],
  ["/:é", "has a segment whose name is empty, or does not begin with a letter"],
  ["/:a/:b/:a", 'has the name ":a" twice'],
  ["/a/../b", "has a segment of dots"],
  ["/.", "has a segment of dots"],
  ["/%2e%2E/b", "has a segment of dots"],
])("%s is refused: it %s", (pattern, why) => {
  expect(() => new PathPattern(pattern)).toThrow(TypeError);
  expect(() => new PathPattern(pattern)).toThrow(`attach: option "path" is ${JSON.stringify(pattern)}, which ${why}`);
  expect(() => new PathPattern(pattern)).toThrow('a path is exact ("/ws"), and may have ":name" segments ("/chat/:room") and a last "*"');
});

/** Every path of up to four of these segments. */
const letters = ["", "a", "ab", "b", "new"];
const paths = letters.flatMap((one) =>
  [
    "",
    ...letters.flatMap((two) =>
      ["", ...letters.flatMap((three) => ["", ...letters.map((four) => `/${four}`)].map((rest) => `/${three}${rest}`))].map(
        (rest) => `/${two}${rest}`,
      ),
    ),
  ].map((rest) => `/${one}${rest}`),
);

test("`covers` and `overlaps` agree with the paths that match", () => {
  const segment = fc.constantFrom("", "a", "ab", "b", ":");
  const patterns = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "/*", "/a*"))
    .map(
      ([segments, rest]) => new PathPattern(`${segments.map((one, index) => (one === ":" ? `/:p${index}` : `/${one}`)).join("")}${rest}`),
    );
  fc.assert(
    fc.property(patterns, patterns, (one, two) => {
      const [ones, twos] = [one, two].map((pattern) => paths.filter((path) => pattern.match(path) !== undefined)) as [string[], string[]];
      expect(one.overlaps(two), `${one.source} overlaps ${two.source}`).toBe(ones.some((path) => twos.includes(path)));
      expect(one.covers(two), `${one.source} covers ${two.source}`).toBe(twos.every((path) => ones.includes(path)));
    }),
    { numRuns: 2000 },
  );
});
