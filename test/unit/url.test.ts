import { array, assert, constantFrom, oneof, property, string, webUrl } from "fast-check";
import { expect, test } from "vitest";
import { urlOf } from "../../adapters/node/http/url.ts";
import { locate } from "../../src/protocol/locate.ts";
import { wholeOf } from "../../src/protocol/request.ts";
import type { RequestHead } from "../../src/protocol/request.ts";
import { hostOf, originAt, originOf, urlAt } from "../../src/protocol/url.ts";

test.each<[string, string | undefined]>([
  ["shop.example", "http://shop.example"],
  ["SHOP.Example:80", "http://shop.example"],
  ["shop.example:443", "http://shop.example:443"],
  ["shop.example:", "http://shop.example"],
  ["shop.example.", "http://shop.example."],
  ["a_b", "http://a_b"],
  ["127.1", "http://127.0.0.1"],
  ["[::1]:8080", "http://[::1]:8080"],
  ["[0:0:0:0:0:0:0:1]", "http://[::1]"],
  ["xn--bcher-kva.example", "http://xn--bcher-kva.example"],
  ["", undefined],
  [":80", undefined],
  ["a b", undefined],
  ["a, b", undefined],
  ["a,b", undefined],
  ["x/admin?", undefined],
  ["x#f", undefined],
  ["x\\y", undefined],
  ["a@x", undefined],
  ["x:99999", undefined],
  ["x:abc", undefined],
  ["[::1", undefined],
  ["[::g]", undefined],
  ["::1", undefined],
  ["256.1.1.1", undefined],
  ["a..b", undefined],
  [".", undefined],
  ["*", undefined],
  ["x%41", undefined],
  ["bücher", undefined],
  ["a\tb", undefined],
  [`${"a".repeat(300)}.example`, undefined],
])("the host %j", (host, origin) => {
  expect(originAt("http", host)).toBe(origin);
  // Remembered, and still the same.
  expect(originAt("http", host)).toBe(origin);
  if (host !== "SHOP.Example:80") expect(originAt("https", host)).toBe(origin?.replace("http:", "https:").replace(/:443$/, ""));
});

test.each<[string, string | undefined]>([
  ["http://x/p", "http://x"],
  ["wss://X:443/p", "https://x"],
  ["http://u:p@x/", "http://x"],
  ["http://x*/", undefined],
  ["http://x, y/p", undefined],
  ["/p", undefined],
  ["file:///etc", undefined],
])("the origin of %s", (url, origin) => {
  expect(originOf(url)).toBe(origin);
});

const odd = [
  "/",
  "?",
  "#",
  "@",
  ":",
  "\\",
  ".",
  "..",
  "%2e",
  "%2E",
  "%20",
  "%z",
  "a",
  "B",
  "1",
  "[::1]",
  "é",
  " ",
  "&",
  "=",
  "'",
  "|",
  "//",
  "xn--",
  "0x7f",
];
const piece = oneof(constantFrom(...odd), string({ maxLength: 4, unit: "binary" }));
const paths = array(piece, { maxLength: 6 }).map((parts) => `/${parts.join("")}`);

test("the URL of any target is the one that parsing gives", () => {
  assert(
    property(constantFrom("http://a.example", "https://[::1]:8443"), oneof(paths, webUrl()), (origin, target) => {
      const { pathname, search } = new URL(target.startsWith("/") ? origin + target : target);
      const url = urlAt(origin, target);
      const parsed = `${origin}${pathname}${search}`;
      // An empty query is one.
      expect([parsed, `${parsed}?`]).toContain(url);
      expect(new URL(url!).href).toBe(url);
      expect(hostOf(url!)).toBe(new URL(origin).host);
      // Once more, as the native Request of other runtimes has it.
      if (target.startsWith("/")) expect(urlAt(origin, origin + target)).toBe(url);
    }),
    { numRuns: 5000 },
  );
});

test.each(["*", "", "foo:bar", "ftp://y/z", "file:///etc", "http://"])("the target %j is neither a path nor a URL", (target) => {
  expect(urlAt("http://a.example", target)).toBeUndefined();
});

/** A request as a runtime shows it. */
function shown(url: string, host?: string): RequestHead {
  const headers = new Headers(host === undefined ? {} : { host });
  return { method: "GET", url, headers, whole: { method: "GET", headers } as Request };
}

test.each<[string, string, string | undefined, string | undefined]>([
  ["as it is", "http://x/p?q=1", "x", "http://x/p?q=1"],
  ["a host in capitals, with its default port", "http://X:80/p", "X:80", "http://x/p"],
  ["dot segments", "http://x/p/../q", "x", "http://x/q"],
  ["a fragment", "http://x/p#f", "x", "http://x/p"],
  ["another host in the target", "http://y/p", "x", "http://x/p"],
  ["a WebSocket's scheme in the target", "ws://y/p", "x", "http://x/p"],
  ["no host, and Deno's own address", "http://localhost:3000/p", undefined, "http://localhost:3000/p"],
  ["no host, and a path alone", "/p?q=1", undefined, "http://localhost/p?q=1"],
  ["an empty host", "/p", "", "http://localhost/p"],
  ["a malformed host", "http://x/admin?/p", "x/admin?", undefined],
  ["two hosts", "http://x, y/p", "x, y", undefined],
  ["another scheme", "ftp://x/p", "x", undefined],
])("where a request is: %s", (_, url, host, expected) => {
  const located = locate(shown(url, host), {});
  expect(located?.url).toBe(expected);
  if (located !== undefined) expect(wholeOf(located).url).toBe(located.url === url ? undefined : expected);
});

test("a request that another Worker made is where that one says", () => {
  expect(locate(shown("https://inner.example/p/../q"), { byFetch: true })?.url).toBe("https://inner.example/q");
  expect(locate(shown("https://inner.example/p", "x"), { byFetch: true })?.url).toBe("https://inner.example/p");
  expect(locate(shown("http://x*", "x"), { byFetch: true })).toBeUndefined();
  expect(locate(shown("http://a b/p", "a b"), { byFetch: true })).toBeUndefined();
});

test("what a trusted proxy says of its client stands in the URL", () => {
  const at = (client: object): string | undefined =>
    locate(shown("http://10.0.0.9:3000/p", "10.0.0.9:3000"), {}, { address: "", ...client })?.url;
  expect(at({})).toBe("http://10.0.0.9:3000/p");
  expect(at({ scheme: "https" })).toBe("https://10.0.0.9:3000/p");
  expect(at({ host: "shop.example:443" })).toBe("http://shop.example:443/p");
  expect(at({ scheme: "https", host: "shop.example:443" })).toBe("https://shop.example/p");
});

test("Node's requests: the first of two hosts is not taken for the one", () => {
  const incoming = (hosts: readonly string[], url: string): Parameters<typeof urlOf>[0] =>
    ({ url, socket: {}, headers: { host: hosts[0] }, rawHeaders: hosts.flatMap((host) => ["Host", host]) }) as never;
  expect(urlOf(incoming(["X"], "/a/../p"))).toBe("http://x/p");
  expect(urlOf(incoming([], "/p"))).toBe("http://localhost/p");
  expect(urlOf(incoming(["x", "x"], "/p"))).toBeUndefined();
  expect(urlOf(incoming(["a b"], "/p"))).toBeUndefined();
  expect(urlOf(incoming(["x"], "*"))).toBeUndefined();
});
