/** The offers of permessage-deflate that Node accepts (RFC 7692 section 7.1, RFC 6455 section 9.1). */
import { createRequire } from "node:module";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { acceptableOffer } from "../../adapters/node/ws/deflate.ts";

const all =
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=15";

test.each([
  ["permessage-deflate", "permessage-deflate"],
  [" permessage-deflate ;client_max_window_bits\t", "permessage-deflate; client_max_window_bits"],
  [all, all],
  ['permessage-deflate; server_max_window_bits="10"', "permessage-deflate; server_max_window_bits=10"],
  ['permessage-deflate; server_max_window_bits = "1\\0"', "permessage-deflate; server_max_window_bits=10"],
  ["permessage-deflate; foo, permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9"],
  ["permessage-deflate, permessage-deflate; client_max_window_bits=9", "permessage-deflate"],
  [", ,permessage-deflate,", "permessage-deflate"],
  ["x-other; a=b, permessage-deflate", "permessage-deflate"],
  ['x-other; a="b, c\\", d", permessage-deflate', "permessage-deflate"],
])("%s: %s is accepted", (header, accepted) => {
  expect(acceptableOffer(header)).toBe(accepted);
});

test.each([
  "",
  ",",
  "x-other",
  "Permessage-Deflate",
  "permessage-deflate;",
  "permessage-deflate; ;client_max_window_bits",
  "permessage-deflate; foo",
  "permessage-deflate; foo=bar",
  "permessage-deflate; client_no_context_takeover=",
  "permessage-deflate; client_no_context_takeover=true",
  "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
  "permessage-deflate; server_max_window_bits",
  "permessage-deflate; server_max_window_bits=",
  "permessage-deflate; server_max_window_bits=7",
  "permessage-deflate; server_max_window_bits=16",
  "permessage-deflate; server_max_window_bits=010",
  "permessage-deflate; server_max_window_bits=1e1",
  'permessage-deflate; server_max_window_bits="10',
  "permessage-deflate; client_max_window_bits=0xa",
  "permessage deflate",
  // Within quotes, so not offered.
  'x-other; a="b, permessage-deflate, c"',
  'x-other; a="b, permessage-deflate',
])("%s is declined", (header) => {
  expect(acceptableOffer(header)).toBeUndefined();
});

test("no header is no offer", () => {
  expect(acceptableOffer(undefined)).toBeUndefined();
});

test("ws accepts every offer that we accept, and a long header takes no time", () => {
  // ws does not export these.
  const lib = createRequire(createRequire(import.meta.url).resolve("ws"));
  const { parse } = lib("./lib/extension.js") as { parse(header: string): Record<string, object[]> };
  const Deflate = lib("./lib/permessage-deflate.js") as new (options: object) => { accept(offers: object[] | undefined): object };
  const piece = fc.constantFrom("permessage-deflate", ";", ",", "=", '"', "\\", " ", "8", "15", "16", "foo", ...all.split("; "));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const accepted = acceptableOffer(pieces.join(""));
      if (accepted !== undefined) new Deflate({ isServer: true, maxPayload: 1 }).accept(parse(accepted)["permessage-deflate"]);
    }),
    { numRuns: 5000 },
  );
  for (const nasty of ['"\\', '"', ";", "permessage-deflate;", '"\\",']) expect(acceptableOffer(nasty.repeat(16_000))).toBeUndefined();
});
