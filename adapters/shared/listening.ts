/** Checks and normalizes the options for listening of `serve`, and builds the server's URL. */
import { parseAddress } from "../../src/protocol/address.ts";
import { show } from "../../src/values/text.ts";

export interface TlsOptions {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/** The form that every runtime accepts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Listening {
  readonly port: number;
  readonly hostname: string;
  readonly tls: Certificate | undefined;
}

/** @throws TypeError, RangeError that names the option. */
export function checkListening(who: string, given: { readonly [Name in keyof Listening]?: unknown }): Listening {
  const { port, hostname, tls } = given;
  return { port: checkPort(who, port ?? 0), hostname: checkHostname(who, hostname ?? ""), tls: checkTls(who, tls) };
}

function checkPort(who: string, port: unknown): number {
  if (typeof port !== "number") {
    const given = typeof port === "string" ? `the string ${show(port)}: convert it with Number(process.env.PORT)` : show(port);
    throw new TypeError(`${who}: option "port" must be a number, not ${given} [EW628]`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`${who}: option "port" is ${port}: must be a whole number from 0 (a free one) to 65535 [EW629]`);
  }
  return port;
}

/** Deno rejects an empty name, Node rejects brackets. Without a name Deno listens only on IPv4, so that is the default everywhere. */
function checkHostname(who: string, hostname: unknown): string {
  if (typeof hostname !== "string") throw new TypeError(`${who}: option "hostname" must be a string, not ${show(hostname)} [EW630]`);
  if (hostname === "") return "0.0.0.0";
  return /^\[.*\]$/.test(hostname) ? hostname.slice(1, -1) : hostname;
}

/** Refuses options that one runtime supports and another silently ignores: with `ca`, for example, only some would request a client certificate. */
function checkTls(who: string, tls: unknown): Certificate | undefined {
  if (tls === undefined) return undefined;
  const must = `${who}: option "tls" must be { cert, key }, both PEM text or its bytes`;
  if (typeof tls !== "object" || tls === null) throw new TypeError(`${must}, not ${show(tls)} [EW631]`);
  for (const name of Object.keys(tls)) {
    if (name !== "cert" && name !== "key")
      throw new TypeError(`${must}: "${name}" is not supported, because Node, Bun and Deno treat it differently [EW632]`);
  }
  const { cert, key } = tls as { cert?: unknown; key?: unknown };
  return { cert: pemOf(must, "cert", "CERTIFICATE", cert), key: pemOf(must, "key", "PRIVATE KEY", key) };
}

function pemOf(must: string, name: string, what: string, given: unknown): string {
  if (given === undefined) throw new TypeError(`${must}: "${name}" is missing [EW633]`);
  if (typeof given !== "string" && !(given instanceof Uint8Array)) throw new TypeError(`${must}: "${name}" is ${show(given)} [EW634]`);
  const text = typeof given === "string" ? given : new TextDecoder().decode(given);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(text)) {
    throw new TypeError(
      `${must}: "${name}" is encrypted, which Deno can't read: decrypt it with openssl pkey -in key.pem -out plain.pem [EW635]`,
    );
  }
  if (!new RegExp(`-----BEGIN (?:[A-Z]+ )?${what}-----`).test(text)) {
    throw new TypeError(`${must}: "${name}" has no "-----BEGIN ${what}-----" (if it is a path, read the file first) [EW636]`);
  }
  return text;
}

/** The URL with the server's address, or `localhost` if it listens on every address. */
export function servingUrl({ hostname, tls }: Listening, port: number): string {
  const bytes = parseAddress(hostname);
  const isAny = bytes?.every((byte) => byte === 0) === true;
  // A URL can't contain an IPv6 zone.
  const name = isAny ? "localhost" : hostname.includes(":") ? `[${hostname.replace(/%.*$/, "")}]` : hostname;
  return `${tls === undefined ? "http" : "https"}://${name}:${port}`;
}

/** The error with which `serve` rejects if it can't listen. Its `code` is the system's, as on Node. */
export function listenError(cause: Error & { readonly code?: unknown }, { port, hostname }: Listening): Error {
  const { code } = cause;
  const what =
    code === "EADDRINUSE"
      ? `port ${port} on ${hostname} is in use: choose another, or 0 for a free one [EW601]`
      : `can't listen on port ${port} of ${hostname}: ${cause.message} [EW602]`;
  return Object.assign(new Error(`serve: ${what}`, { cause }), typeof code === "string" ? { code } : {});
}
