import { expect, test } from "vitest";
import { clientOf, isIn, parseAddress, parseForwarded, parseNetwork } from "../../src/address.ts";
import { compileProxies, forwarded } from "../../src/proxy.ts";

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
  expect(forwarded(headers, peer, compileProxies("trustProxy", trust)).address).toBe(expected);
});

test.each<[string, unknown, string, string | null]>([
  ["nobody is trusted", false, "a.example", null],
  ["one hop: the last", true, "evil.example, a.example", "a.example"],
  ["two hops: the second from the right", 2, "evil.example, a.example, inner.example", "a.example"],
  ["two hops, one of which replaced it", 2, "a.example", "a.example"],
  ["networks: as many as X-Forwarded-For has", networks, "evil.example, a.example, inner.example", "a.example"],
])("the host when %s", (_, trust, host, expected) => {
  const headers = new Headers({ "x-forwarded-for": "6.6.6.6, 1.1.1.1, 10.0.0.2", "x-forwarded-host": host });
  expect(forwarded(headers, "10.0.0.1", compileProxies("trustProxy", trust)).host).toBe(expected);
});
