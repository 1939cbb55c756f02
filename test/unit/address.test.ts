/** Addresses, networks and chains of proxies against Node's own, for any text and any chain. */
import { BlockList, isIP } from "node:net";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isIn, parseAddress, parseNetwork } from "../../src/protocol/address.ts";
import { compileProxies, forwarded } from "../../src/protocol/forwarded.ts";

const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join("."));
const v6 = fc.ipV6();
const address = fc.oneof(v4, v6);
/** Pieces of which addresses are made, in any order, and a little that is in none. */
const nearly = fc.array(
  fc.constantFrom(":", "::", ".", "0", "1", "00", "255", "256", "ffff", "12345", "g", "1.2.3.4", "%", " ", "-1", "[", "]"),
  { maxLength: 12 },
);

test("what Node takes for an address is one, and nothing else", () => {
  const text = fc.oneof(
    nearly.map((pieces) => pieces.join("")),
    address,
    fc.string(),
  );
  fc.assert(
    fc.property(text, (one) => {
      expect(parseAddress(one) !== undefined, one).toBe(isIP(one) !== 0);
    }),
    { numRuns: 20_000, examples: [["1.2.3.4::"], ["::1.2.3.4"], ["1::1.2.3.4:1"], ["fe80::1%"], ["fe80::1%eth0"], ["1:2:3:4:5:6:7::"]] },
  );
});

test("every form of an address is the same address", () => {
  const forms = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }).map((groups) => {
    const long = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
    const short = groups.map((group) => group.toString(16)).join(":");
    const bytes = groups.slice(6).flatMap((group) => [group >> 8, group & 255]);
    const mixed = `${groups
      .slice(0, 6)
      .map((group) => group.toString(16))
      .join(":")}:${bytes.join(".")}`;
    const url = new URL(`http://[${short}]`).hostname.slice(1, -1);
    return [long, short, mixed, url] as const;
  });
  fc.assert(
    fc.property(forms, ([first, ...others]) => {
      for (const other of others) expect(parseAddress(other), other).toEqual(parseAddress(first));
    }),
  );
});

test("a network has the addresses that Node says it has", () => {
  const sample = fc.record({ address, other: address, bits: fc.nat(128), near: fc.boolean() });
  fc.assert(
    fc.property(sample, ({ address: base, other, bits, near }) => {
      const bytes = parseAddress(base)!;
      const length = Math.min(bits, bytes.length * 8);
      const masked = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, length - index * 8))) & 0xff);
      const network = parseNetwork(`${textOf(masked)}/${length}`)!;
      const list = new BlockList();
      list.addSubnet(textOf(masked), length, familyOf(masked));
      const tested = near ? bytes : parseAddress(other)!;
      const within = tested.length === bytes.length && list.check(textOf(tested), familyOf(tested));
      expect(isIn(tested, network)).toBe(within);
    }),
    { numRuns: 2000 },
  );
});

test("whatever stands left of the first machine that is not trusted changes nothing", () => {
  const rules = fc.constantFrom<unknown>(true, 1, 2, 5, ["10.0.0.0/8"], ["10.0.0.0/8", "2001:db8::/32"], ["::/0"], ["0.0.0.0/0"]);
  const trusted = fc.constantFrom("10.1.2.3", "2001:db8::1", "10.0.0.1:80", "[2001:db8::2]:443", "::ffff:10.9.9.9");
  const word = fc.oneof(address, trusted, fc.constantFrom("unknown", "", "_hidden", "127.0.0.1", "-", "[::1", "999.1.1.1"));
  const chain = fc.record({
    rule: rules,
    lies: fc.array(word, { maxLength: 40 }),
    client: v4.filter((one) => !one.startsWith("10.")),
    hops: fc.array(trusted, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(chain, ({ rule, lies, client, hops }) => {
      const believed = compileProxies("trustProxy", rule);
      const read = (elements: readonly string[]): string =>
        forwarded({ headers: new Headers({ "x-forwarded-for": elements.join(", ") }) }, "10.0.0.9", believed).address;
      // Rules that trust everyone, or more machines than there are, believe the client too: that is what they say.
      const walked = Array.isArray(rule) ? rule.some((one) => one !== "::/0" && one !== "0.0.0.0/0") : hops.length + 1 >= Number(rule);
      if (!walked) return;
      const honest = read([client, ...hops]);
      expect(read([...lies, client, ...hops])).toBe(honest);
    }),
    { numRuns: 5000 },
  );
});

function textOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  return Array.from({ length: 8 }, (_, group) => ((bytes[group * 2]! << 8) | bytes[group * 2 + 1]!).toString(16)).join(":");
}

function familyOf(bytes: readonly number[]): "ipv4" | "ipv6" {
  return bytes.length === 4 ? "ipv4" : "ipv6";
}
