/** What an origin comes to is remembered: that must let nobody else in. */
import { expect, test } from "vitest";
import { compileOrigins, refuseOrigin } from "../../src/origin.ts";

const asked: readonly (readonly [origin: string, host: string, allowed: boolean])[] = [
  ["", "", true],
  ["http://a.example", "a.example", true],
  ["http://a.example", "b.example", false],
  ["http://b.example", "a.example", false],
  ["http://b.example", "b.example", true],
  ["https://a.example", "a.example:443", true],
  ["https://a.example", "a.example:80", false],
  ["null", "null", false],
  ["https://listed.example", "a.example", true],
  ["https://x.wild.example", "a.example", true],
  ["https://wild.example", "a.example", false],
  ["http://listed.example", "a.example", false],
];

test("whether an origin is allowed does not depend on who asked before", () => {
  const rule = compileOrigins(["https://listed.example", "https://*.wild.example"]);
  const isAllowed = (origin: string, host: string): boolean => {
    const headers = new Headers({ origin });
    return refuseOrigin({ method: "GET", url: "http://a.example/", headers }, rule, host) === undefined;
  };
  for (const before of asked) {
    for (const [origin, host, allowed] of asked) {
      isAllowed(before[0], before[1]);
      expect(isAllowed(origin, host), `${origin} at ${host} after ${before[0]} at ${before[1]}`).toBe(allowed);
    }
  }
});

test("what one handler's list allows is another's to refuse", () => {
  const headers = new Headers({ origin: "https://listed.example" });
  const request = { method: "GET", url: "http://a.example/", headers };
  expect(refuseOrigin(request, compileOrigins(["https://listed.example"]), "a.example")).toBeUndefined();
  expect(refuseOrigin(request, compileOrigins([]), "a.example")).toContain("listed.example");
});
