/** IP addresses and networks as text, the way proxies and options write them. */

/** 4 or 16 bytes. */
export type AddressBytes = readonly number[];

/** The bytes of an address; an IPv4 address mapped into IPv6 (`::ffff:…`) is an IPv4 address. Undefined for anything else. */
export function parseAddress(text: string): AddressBytes | undefined {
  const bytes = text.includes(":") ? parseIPv6(text) : parseIPv4(text);
  return bytes?.length === 16 && isMapped(bytes) ? bytes.slice(12) : bytes;
}

export interface Network {
  readonly bytes: AddressBytes;
  /** How many leading bits an address must share. */
  readonly bits: number;
}

/** `10.0.0.0/8`, or one address. Undefined for anything else, and for a network with bits set beyond its length. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const all = bytes.length * 8;
  if (length === undefined) return { bytes, bits: all };
  const bits = /^(0|[1-9]\d{0,2})$/.test(length) ? Number(length) : all + 1;
  if (bits > all || bytes.some((byte, index) => (byte & ~maskOf(bits, index)) !== 0)) return undefined;
  return { bytes, bits };
}

export function isIn(address: AddressBytes, network: Network): boolean {
  if (address.length !== network.bytes.length) return false;
  return address.every((byte, index) => (byte & maskOf(network.bits, index)) === network.bytes[index]);
}

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address, since one client has all 2^64 of it. */
export function clientOf(address: string): string {
  const bytes = parseAddress(address);
  if (bytes === undefined) return address;
  return bytes.length === 4 ? bytes.join(".") : `${bytes.slice(0, 8).join(".")}/64`;
}

/** An element of X-Forwarded-For without port and brackets; undefined if it is not an address. */
export function parseForwarded(element: string): string | undefined {
  const text = element.trim();
  if (text.length > longest) return undefined;
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  const bytes = parseAddress(bare);
  return bytes?.length === 4 ? bytes.join(".") : bytes && bare.toLowerCase();
}

/** More than any address with its zone, brackets and port: longer elements are not parsed. */
const longest = 100;

/** The bits of byte `index` that the first `bits` bits cover. */
function maskOf(bits: number, index: number): number {
  return (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))) & 0xff;
}

function parseIPv4(text: string): number[] | undefined {
  const parts = text.split(".");
  // No leading zeros: some parsers read them as octal.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined;
  return parts.map(Number);
}

function parseIPv6(text: string): number[] | undefined {
  // A zone (`fe80::1%eth0`) has a meaning only on its own host.
  const halves = text.replace(/%[\da-z.:-]+$/i, "").split("::");
  // Only the last four bytes may have the IPv4 form.
  if (halves.length > 2 || (halves.length === 2 && halves[0]?.includes("."))) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;
  const missing = 16 - head.length - tail.length;
  return missing < 2 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function groupsOf(half: string): number[] | undefined {
  if (half === "") return [];
  const bytes: number[] = [];
  const groups = half.split(":");
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes(".")) {
      const last = parseIPv4(group);
      if (last === undefined) return undefined;
      bytes.push(...last);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

function isMapped(bytes: AddressBytes): boolean {
  return bytes.every((byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff));
}
