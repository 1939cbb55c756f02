/** The hosts that a server answers for (option `hosts`), and which hosts exist only on a machine or a private network. */
import { isIn, parseAddress, parseNetwork } from "./address.ts";
import type { Network } from "./address.ts";
import { memo } from "../values/memo.ts";
import { show } from "../values/text.ts";
import { originAt, originOfName, undotted } from "./url.ts";
import type { Scheme } from "./url.ts";

/** Whether a handshake may ask for this host, with its port, over this scheme. */
export type HostRule = (host: string, scheme: Scheme) => boolean;

/** A name that may start with `*.`, an optional port. */
const pattern = /^(\*\.)?([^/?#\s@*:,\\]+|\[[0-9a-fA-F:.]+\])(:\d+)?$/;

/** @throws TypeError for anything that is not a list of names and patterns. */
export function compileHosts(name: string, value: unknown): HostRule {
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`option "${name}" must be a list of names like ["example.com", "*.example.com", "localhost:3000"] [EW147]`);
  }
  const rules = value.map((given: unknown) => {
    const match = typeof given === "string" ? pattern.exec(given) : null;
    const [, wildcard, host = "", port = ""] = match ?? [];
    const known = match === null ? undefined : normalized(`http ${host}${port}`);
    if (known === undefined) {
      throw new TypeError(
        `option "${name}" has ${show(given)}: must be a host with an optional port like "example.com", "*.example.com" or "localhost:3000", without a scheme [EW148]`,
      );
    }
    return { name: wildcard === undefined ? known.name : `.${known.name}`, subdomains: wildcard !== undefined, port: port.slice(1) };
  });
  return (host, scheme) => {
    const asked = normalized(`${scheme} ${host}`);
    return (
      asked !== undefined &&
      rules.some((rule) => {
        if (rule.port !== "" && Number(rule.port) !== asked.port) return false;
        return rule.subdomains ? asked.name.endsWith(rule.name) && asked.name.length > rule.name.length : asked.name === rule.name;
      })
    );
  };
}

interface Asked {
  readonly name: string;
  readonly port: number;
}

/** Takes a scheme and an authority, separated by a space. */
const normalized = memo(100, (asked): Asked | undefined => {
  const [scheme, host] = asked.split(" ") as [Scheme, string];
  const origin = originAt(scheme, host) ?? originOfName(scheme, host);
  if (origin === undefined) return undefined;
  const { hostname, port } = new URL(undotted(origin));
  return { name: hostname, port: port === "" ? (scheme === "https" ? 443 : 80) : Number(port) };
});

const privateNetworks = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "::1",
  "fc00::/7",
  "fe80::/10",
].map((text) => parseNetwork(text) as Network);

/** A loopback or private address, a name without a dot, or a name under a reserved domain: one that a proxy uses for the server behind it. */
export function isPrivate(name: string): boolean {
  const bytes = parseAddress(name.replace(/^\[|\]$/g, ""));
  if (bytes !== undefined) return privateNetworks.some((network) => isIn(bytes, network));
  return !name.includes(".") || /\.(?:localhost|local|internal|lan|home\.arpa|test)\.?$/i.test(name);
}
