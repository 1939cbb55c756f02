/**
 * Chooses among a client's offers of permessage-deflate. `ws` answers 400 if any offer is malformed or unacceptable, even after `upgrade` has
 * accepted the client. By RFC 7692 section 5 a server declines such an offer and may accept another.
 */
const extension = "permessage-deflate";
/** A decimal integer without leading zeros (RFC 7692 section 7.1.2). */
const windowBits = /^(?:[89]|1[0-5])$/;

/** The first acceptable offer, in a form that `ws` accepts; undefined if none is acceptable. */
export function acceptableOffer(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  for (const offer of split(header, ",")) {
    const parameters = parametersOf(offer);
    if (parameters !== undefined) return [extension, ...parameters].join("; ");
  }
  return undefined;
}

/** Undefined for another extension, or an unacceptable offer. */
function parametersOf(offer: string): string[] | undefined {
  const [name, ...parameters] = split(offer, ";").map((one) => one.trim());
  if (name !== extension) return undefined;
  const seen = new Set<string>();
  const accepted: string[] = [];
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    const key = equals < 0 ? parameter : parameter.slice(0, equals).trimEnd();
    const value = equals < 0 ? undefined : unquoted(parameter.slice(equals + 1).trimStart());
    if (seen.has(key) || !isParameter(key, value)) return undefined;
    seen.add(key);
    accepted.push(value === undefined ? key : `${key}=${value}`);
  }
  return accepted;
}

function isParameter(key: string, value: string | undefined): boolean {
  switch (key) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === undefined;
    case "server_max_window_bits":
      return value !== undefined && windowBits.test(value);
    case "client_max_window_bits":
      return value === undefined || windowBits.test(value);
    default:
      return false;
  }
}

/** Removes the quotes and backslashes of a quoted value. */
function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
}

/** Splits at separators outside quotes. An unclosed quote extends to the end. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const letter = text[index];
    if (quoted && letter === "\\") index++;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
