/** What an origin comes to is remembered: that must let nobody else in. */
import { expect, test } from "vitest";
import { compileHosts, isPrivate } from "../../src/protocol/hosts.ts";
import { compileOrigins, refuseOrigin } from "../../src/protocol/origin.ts";

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

test.each<[string, string | undefined]>([
  ["https://app.example", "https://app.example"],
  ["HTTPS://App.Example:443", "https://app.example"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
  ["https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443"],
  ["https://*.müller.example", "https://a.xn--mller-kva.example"],
  ["http://[0:0:0:0:0:0:0:1]:5173", "http://[::1]:5173"],
  ["http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"],
  ["https://dotted.example.", "https://dotted.example"],
  ["https://*.dotted.example.:8443", "https://a.dotted.example:8443"],
  ["http://0x7f.1", "http://127.0.0.1"],
  ["http://localhost:*", "http://localhost:5173"],
  ["capacitor://localhost", "capacitor://localhost"],
  ["null", "null"],
  ["file://", "file://"],
  ["file:///", undefined],
  ["https://app.example/", undefined],
  ["https://app.example:99999", undefined],
  ["https://256.0.0.1", undefined],
  ["https://a..example", undefined],
  ["https://[::g]", undefined],
  ["https://*", undefined],
  ["https://a.*.example", undefined],
  ["https://user@app.example", undefined],
  ["https://app.example:**", undefined],
  ["https://a%20b.example", undefined],
  ["app.example", undefined],
])("the entry %s is what a browser writes, or refused by name", (entry, sent) => {
  if (sent === undefined) expect(() => compileOrigins([entry])).toThrow(`option "origins" has "${entry}": must be a scheme and a host`);
  else expect(compileOrigins([entry])(sent, { method: "GET", url: "", headers: new Headers() })).toBe(true);
});

function reason(origin: string, host: string): string {
  return String(refuseOrigin({ method: "GET", url: "http://a.example/", headers: new Headers({ origin }) }, () => false, host));
}

test("behind a proxy that does not pass on the Host, the log says what to set there", () => {
  for (const host of ["127.0.0.1:3000", "10.0.0.9", "app:3000", "chat.internal", "[::1]:3000", "[fd00::1]", "localhost:3000"]) {
    expect(reason("https://shop.example", host), host).toContain(
      'set "proxy_set_header Host $http_host;" in nginx, "ProxyPreserveHost On" in Apache',
    );
    expect(reason("https://shop.example", host)).toContain('X-Forwarded-Host, and set option "trustProxy"');
  }
  expect(reason("http://localhost:8080", "127.0.0.1:3000")).toContain("proxy_set_header");
  // A page that is somewhere else.
  for (const host of ["shop.example", "203.0.113.7:3000", "[2001:db8::1]"])
    expect(reason("https://evil.example", host)).not.toContain("proxy");
  // Another port of one machine, in development.
  expect(reason("http://localhost:5173", "localhost:3000")).not.toContain("proxy");
  expect(reason("null", "127.0.0.1:3000")).not.toContain("proxy");
});

test("what a page writes does not fill the log", () => {
  const line = reason(`https://${"a".repeat(16_000)}.example`, "shop.example");
  expect(line.length).toBeLessThan(500);
  expect(line).toContain("… (16016 characters)");
});

test.each([
  ["127.0.0.1", true],
  ["192.168.4.4", true],
  ["172.32.0.1", false],
  ["[fe80::1]", true],
  ["localhost", true],
  ["db.local", true],
  ["shop.example", false],
  ["8.8.8.8", false],
])("%s is private: %s", (name, expected) => {
  expect(isPrivate(name)).toBe(expected);
});

test.each([["https://a.example"], [""], ["a.example/"], ["*"], ["a.*.example"], ["a.example:99999"], ["a b"], [3], ["a@b"]])(
  "%j is no host to list",
  (host) => {
    expect(() => compileHosts("hosts", [host])).toThrow('option "hosts" has');
  },
);

test("hosts are a list that names one", () => {
  for (const given of [[], "a.example", {}, null, () => true])
    expect(() => compileHosts("hosts", given)).toThrow('option "hosts" must be a list');
});
