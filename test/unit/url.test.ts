import { array, assert, constantFrom, oneof, property, string, webUrl } from "fast-check";
import { expect, test } from "vitest";
import { urlOf } from "../../adapters/node-url.ts";

/** What parsing says, without a memory. */
function parsed(scheme: string, host: string, target: string): string {
  const url = URL.parse(target.startsWith("/") ? `${scheme}://${host}${target}` : target) ?? new URL(`${scheme}://localhost/`);
  url.username = "";
  url.password = "";
  return url.href;
}

const odd = ["/", "?", "#", "@", ":", "\\", ".", "..", "%2e", "a", "B", "1", "[::1]", "é", " ", "&", "=", "//", "xn--", "0x7f"];
const hosts = [
  "localhost",
  "example.com",
  "EXAMPLE.com:80",
  "example.com:443",
  "127.1",
  "[::1]:8080",
  "a@b",
  "a/b",
  "a?b",
  "a#b",
  "",
  ":1",
  "h:70000",
];

test("the URL of any target at any host is the one that parsing gives, asked once or again", () => {
  const piece = oneof(constantFrom(...odd), string({ maxLength: 4, unit: "binary" }));
  const target = array(piece, { maxLength: 6 }).map((parts) => `/${parts.join("")}`);
  const host = oneof(
    constantFrom(...hosts),
    array(piece, { maxLength: 3 }).map((parts) => parts.join("")),
  );
  assert(
    property(constantFrom("http", "https"), host, oneof(target, webUrl()), (scheme, name, path) => {
      const expected = parsed(scheme, name, path);
      expect(urlOf(scheme, name, path)).toBe(expected);
      expect(urlOf(scheme, name, "/plain?a=b")).toBe(parsed(scheme, name, "/plain?a=b"));
      expect(urlOf(scheme, name, path)).toBe(expected);
    }),
    { numRuns: 3000 },
  );
});
