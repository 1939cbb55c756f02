import { expect, test } from "vitest";
import { clientOf, isIn, parseAddress, parseForwarded, parseNetwork } from "../../src/protocol/address.ts";
import { compileProxies, forwarded } from "../../src/protocol/forwarded.ts";

test.each<[string, readonly number[] | undefined]>([
  ["127.0.0.1", [127, 0, 0, 1]],
  ["255.255.255.255", [255, 255, 255, 255]],
  ["256.0.0.1", undefined],
  ["1.2.3", undefined],
  ["01.2.3.4", undefined],
  ["1.2.3.4.5", undefined],
  ["0x7f.0.0.1", undefined],
  ["", undefined],
  ["unknown", undefined],
  ["::", Array.from({ length: 16 }, () => 0)],
  ["::1", [...Array.from({ length: 15 }, () => 0), 1]],
  ["2001:db8::ff", [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff]],
  ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
  ["fe80::1%eth0", [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ["::ffff:10.1.2.3", [10, 1, 2, 3]],
  ["1:2:3:4:5:6:7", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["1::2::3", undefined],
  ["1:2:3:4:5:6:7::8", undefined],
  ["::12345", undefined],
  ["::g", undefined],
  [":1", undefined],
])("the address %s", (text, bytes) => {
  expect(parseAddress(text)).toEqual(bytes);
});

test.each<[string, string, boolean]>([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["192.168.4.0/22", "192.168.7.255", true],
  ["192.168.4.0/22", "192.168.8.0", false],
  ["0.0.0.0/0", "1.2.3.4", true],
  ["0.0.0.0/0", "::1", false],
  ["127.0.0.1", "127.0.0.1", true],
  ["127.0.0.1", "127.0.0.2", false],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["10.0.0.0/8", "::ffff:10.1.1.1", true],
])("the network %s and %s: %s", (network, address, expected) => {
  expect(isIn(parseAddress(address)!, parseNetwork(network)!)).toBe(expected);
});

test.each([["10.0.0.1/8"], ["10.0.0.0/33"], ["10.0.0.0/"], ["10.0.0.0/8/8"], ["10.0.0.0/08"], ["localhost"], ["2001:db8::1/32"], ["/8"]])(
  "%s is no network",
  (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  },
);

test.each<[string, string | undefined]>([
  [" 1.2.3.4 ", "1.2.3.4"],
  ["1.2.3.4:5678", "1.2.3.4"],
  ["[2001:DB8::1]:443", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["2001:db8::1", "2001:db8::1"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["unknown", undefined],
  ["_hidden", undefined],
  ["", undefined],
  ["1.2.3.4, 5.6.7.8", undefined],
  ["<script>", undefined],
])("the element %s", (element, address) => {
  expect(parseForwarded(element)).toBe(address);
});

test("one client has a /64", () => {
  expect(clientOf("1.2.3.4")).toBe("1.2.3.4");
  expect(clientOf("2001:db8:1:2::1")).toBe(clientOf("2001:db8:1:2:ffff::9"));
  expect(clientOf("2001:db8:1:2::1")).not.toBe(clientOf("2001:db8:1:3::1"));
  expect(clientOf("::ffff:1.2.3.4")).toBe("1.2.3.4");
  expect(clientOf("anything")).toBe("anything");
});

const networks = ["10.0.0.0/8", "2001:db8::/32"];
test.each<[string, unknown, string, string | undefined, string]>([
  ["nobody is trusted", false, "10.0.0.1", "1.1.1.1", "10.0.0.1"],
  ["one hop", true, "10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"],
  ["one hop, nothing said", true, "10.0.0.1", undefined, "10.0.0.1"],
  ["two hops", 2, "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"],
  ["more hops than elements", 5, "10.0.0.1", "1.1.1.1, 10.0.0.2", "1.1.1.1"],
  ["a malformed element", 1, "10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"],
  ["a malformed element behind one", 2, "10.0.0.1", "garbage, 10.0.0.2", "10.0.0.2"],
  ["an empty element", 2, "10.0.0.1", ", ", "10.0.0.1"],
  ["networks", networks, "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2, 2001:db8::2", "1.1.1.1"],
  ["a peer outside them", networks, "9.9.9.9", "1.1.1.1", "9.9.9.9"],
  ["only proxies", networks, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ["a malformed element in networks", networks, "10.0.0.1", "1.1.1.1, evil, 10.0.0.2", "10.0.0.2"],
  ["an unknown peer", networks, "", "1.1.1.1", ""],
])("%s", (_, trust, peer, header, expected) => {
  const headers = new Headers(header === undefined ? {} : { "x-forwarded-for": header });
  expect(forwarded({ headers }, peer, compileProxies("trustProxy", trust)).address).toBe(expected);
});

test.each<[string, unknown, string, string | undefined]>([
  ["nobody is trusted", false, "a.example", undefined],
  ["one hop: the last", true, "evil.example, a.example", "a.example"],
  ["two hops: the second from the right", 2, "evil.example, a.example, inner.example", "a.example"],
  ["two hops, one of which replaced it", 2, "a.example", "a.example"],
  ["networks: as many as X-Forwarded-For has", networks, "evil.example, a.example, inner.example", "a.example"],
])("the host when %s", (_, trust, host, expected) => {
  const headers = new Headers({ "x-forwarded-for": "6.6.6.6, 1.1.1.1, 10.0.0.2", "x-forwarded-host": host });
  expect(forwarded({ headers }, "10.0.0.1", compileProxies("trustProxy", trust)).host).toBe(expected);
});

type Said = ReturnType<typeof forwarded>;
const peer: Said = { address: "10.0.0.1", scheme: undefined, host: undefined };

test.each<[string, Record<string, string>, Partial<Said>]>([
  ["nothing", {}, {}],
  ["the scheme", { "x-forwarded-proto": "https" }, { scheme: "https" }],
  ["the scheme of a WebSocket", { "x-forwarded-proto": "WSS" }, { scheme: "https" }],
  ["the nearest proxy's scheme", { "x-forwarded-proto": "http, https" }, { scheme: "https" }],
  ["a scheme that is none", { "x-forwarded-proto": "gopher" }, {}],
  ["the host", { "x-forwarded-host": "shop.example:8443" }, { host: "shop.example:8443" }],
  ["a host that is none", { "x-forwarded-host": "shop.example/admin?" }, {}],
  ["an empty host", { "x-forwarded-host": "" }, {}],
  ["the port of a host without", { "x-forwarded-host": "shop.example", "x-forwarded-port": "8443" }, { host: "shop.example:8443" }],
  ["the port of a host with one", { "x-forwarded-host": "shop.example:8443", "x-forwarded-port": "80" }, { host: "shop.example:8443" }],
  ["the port alone", { host: "10.0.0.9:3000", "x-forwarded-port": "443" }, { host: "10.0.0.9:443" }],
  ["the port of an IPv6 host", { host: "[::1]:3000", "x-forwarded-port": "443" }, { host: "[::1]:443" }],
  ["a port that is none", { "x-forwarded-port": "0" }, {}],
  ["a port that is too large", { "x-forwarded-port": "65536" }, {}],
  ["an address that is none, and a host", { "x-forwarded-for": "x", "x-forwarded-host": "a.example" }, { host: "a.example" }],
  [
    "RFC 7239",
    { forwarded: 'for=192.0.2.43;proto=http;host=evil.example, For="[2001:db8:cafe::17]:4711";Proto=https;host="shop.example:8443";by=_x' },
    { address: "2001:db8:cafe::17", scheme: "https", host: "shop.example:8443" },
  ],
  ["RFC 7239, an escaped letter", { forwarded: 'host="sho\\p.example"' }, { host: "shop.example" }],
  ["RFC 7239, a hidden client", { forwarded: "for=_hidden;proto=https" }, { scheme: "https" }],
  ["RFC 7239, malformed", { forwarded: "for=1.2.3.4;proto=https, host" }, {}],
  ["RFC 7239, a comma at the end", { forwarded: "for=1.2.3.4," }, {}],
  ["RFC 7239, a name twice", { forwarded: "for=1.2.3.4;for=5.6.7.8" }, {}],
  ["RFC 7239, an open quote", { forwarded: 'for="1.2.3.4' }, {}],
  ["RFC 7239, a scheme and a host that are none", { forwarded: 'proto=gopher;host="a b"' }, {}],
  [
    "both, of which a proxy passes one on",
    { forwarded: "for=6.6.6.6;host=evil.example;proto=https", "x-forwarded-for": "1.1.1.1" },
    { address: "1.1.1.1" },
  ],
])("what the nearest proxy says: %s", (_, headers, expected) => {
  expect(forwarded({ headers: new Headers(headers) }, "10.0.0.1", compileProxies("trustProxy", true))).toEqual({ ...peer, ...expected });
  // Nobody is believed whom the option does not name.
  expect(forwarded({ headers: new Headers(headers) }, "10.0.0.1", compileProxies("trustProxy", false))).toEqual({ address: "10.0.0.1" });
  expect(forwarded({ headers: new Headers(headers) }, "10.0.0.1", compileProxies("trustProxy", ["192.0.2.0/24"]))).toEqual({
    address: "10.0.0.1",
  });
});

test("the outermost trusted proxy's element counts, and nothing left of it", () => {
  const read = (trust: unknown, headers: Record<string, string>): Said =>
    forwarded({ headers: new Headers(headers) }, "10.0.0.1", compileProxies("trustProxy", trust));
  const chain = {
    "x-forwarded-for": "6.6.6.6, 1.1.1.1, 10.0.0.2",
    "x-forwarded-proto": "ws, https, http",
    "x-forwarded-host": "evil.example, shop.example, inner.example",
    "x-forwarded-port": "1, 8443, 80",
  };
  expect(read(1, chain)).toEqual({ address: "10.0.0.2", scheme: "http", host: "inner.example:80" });
  expect(read(2, chain)).toEqual({ address: "1.1.1.1", scheme: "https", host: "shop.example:8443" });
  expect(read(networks, chain)).toEqual({ address: "1.1.1.1", scheme: "https", host: "shop.example:8443" });
  const forwardedChain = { forwarded: "for=6.6.6.6;host=evil.example, for=1.1.1.1;host=shop.example;proto=https, for=10.0.0.2;proto=http" };
  expect(read(2, forwardedChain)).toEqual({ address: "1.1.1.1", scheme: "https", host: "shop.example" });
  expect(read(networks, forwardedChain)).toEqual({ address: "1.1.1.1", scheme: "https", host: "shop.example" });
});

test("what a client wrote before them takes nothing from the proxies' elements, however much it was", () => {
  const read = (headers: Record<string, string>): Said =>
    forwarded({ headers: new Headers(headers) }, "10.0.0.1", compileProxies("trustProxy", 2));
  const expected = { address: "1.1.1.1", scheme: "https", host: "shop.example" };
  for (const client of [
    'for="',
    "for=6.6.6.6;for=6.6.6.6",
    "host",
    "for=6.6.6.6",
    ...[2, 40, 4000].map((count) => "for=6.6.6.6,".repeat(count)),
  ]) {
    expect(
      read({ forwarded: `${client}, for=1.1.1.1;host=shop.example;proto=https, for=10.0.0.2;by="a, b \\\\"` }),
      client.slice(0, 30),
    ).toEqual(expected);
    const chain = {
      "x-forwarded-for": `${client}, 1.1.1.1, 10.0.0.2`,
      "x-forwarded-proto": `${client}, https, http`,
      "x-forwarded-host": `${client}, shop.example, inner.example`,
    };
    expect(read(chain), client.slice(0, 30)).toEqual(expected);
  }
});
