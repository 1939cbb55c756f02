import { equal } from "node:assert/strict";
import { needsWire, type Case, type Chapter } from "../support/case.ts";
import type { HandlerName } from "../support/handler.ts";
import type { HeaderList } from "../wire/http.ts";

/** Each pair of Host and Origin (and more headers) is accepted, or refused with 403 before `upgrade` runs. */
function judged(
  id: string,
  statement: string,
  on: HandlerName,
  wanted: "accepted" | "refused",
  ...rows: readonly (readonly [host: string, origin: string, ...more: HeaderList])[]
): Case {
  return {
    id,
    statement,
    async run(t) {
      for (const [host, origin, ...more] of rows) {
        const headers: HeaderList = [["Host", host], ["Origin", origin], ...more];
        if (wanted === "accepted") await t.hook(await t.connect({ on, headers }), "upgrade");
        else equal((await t.refused({ on, headers })).status, 403, `${origin} on ${host}`);
      }
      await t.barrier(on);
      // The barrier's own, and those that were accepted.
      const ran = t.entries().filter((entry) => entry.hook === "upgrade").length;
      equal(ran, wanted === "accepted" ? rows.length + 1 : 1, "runs of upgrade");
    },
  };
}

export const origin: Chapter = {
  letter: "O",
  title: "Origin",
  cases: [
    {
      id: "O1",
      statement: "A request without an Origin does not come from a browser, and is accepted.",
      async run(t) {
        for (const on of ["main", "origins", "rule", "anywhere"] as const) await t.connect({ on });
      },
    },
    judged(
      "O2",
      "The same host and port is accepted, in any case and with any scheme; a scheme's default port counts as none.",
      "main",
      "accepted",
      ["shop.example", "http://shop.example"],
      ["shop.example", "https://shop.example"],
      ["SHOP.example", "http://shop.EXAMPLE"],
      ["shop.example:8080", "http://shop.example:8080"],
      ["shop.example:80", "http://shop.example"],
      ["shop.example", "http://shop.example:80"],
      ["shop.example:443", "https://shop.example"],
      ["[::1]:8080", "http://[::1]:8080"],
    ),
    judged(
      "O3",
      "An Origin with another host, another port, a sub-domain or a suffix of the host gets 403, and `upgrade` does not run.",
      "main",
      "refused",
      ["shop.example", "http://evil.example"],
      ["shop.example", "http://shop.example:8080"],
      ["shop.example:8080", "http://shop.example"],
      ["shop.example", "http://www.shop.example"],
      ["www.shop.example", "http://shop.example"],
      ["shop.example", "http://shop.example.evil"],
      ["shop.example", "http://evilshop.example"],
      ["shop.example:443", "http://shop.example"],
    ),
    judged(
      "O4",
      "`null`, a list, and anything that is not an origin gets 403.",
      "main",
      "refused",
      ["shop.example", "null"],
      ["shop.example", "http://shop.example http://shop.example"],
      ["shop.example", "http://shop.example, http://shop.example"],
      ["shop.example", "shop.example"],
      ["shop.example", "http://shop.example/path"],
      ["shop.example", "http://user@shop.example"],
    ),
    judged(
      "O5",
      "`origins` lists exact origins and patterns, with scheme and port; the own host stays allowed.",
      "origins",
      "accepted",
      ["api.example", "https://app.example"],
      ["api.example", "https://APP.example:443"],
      ["api.example", "https://a.wild.example"],
      ["api.example", "https://a.b.wild.example"],
      ["api.example", "http://ported.example:8080"],
      ["api.example", "http://api.example"],
    ),
    judged(
      "O6",
      "What `origins` does not list is refused: another scheme or port, the bare domain of a pattern, a look-alike.",
      "origins",
      "refused",
      ["api.example", "http://app.example"],
      ["api.example", "https://app.example:8443"],
      ["api.example", "https://wild.example"],
      ["api.example", "https://evilwild.example"],
      ["api.example", "https://a.wild.example.evil"],
      ["api.example", "http://ported.example"],
    ),
    judged("O7", "A function decides for other hosts.", "rule", "accepted", ["api.example", "https://ruled.example"]),
    judged("O8", "What the function does not allow is refused.", "rule", "refused", ["api.example", "https://other.example"]),
    judged(
      "O9",
      '`"*"` accepts any Origin, `null` too.',
      "anywhere",
      "accepted",
      ["api.example", "https://evil.example"],
      ["api.example", "null"],
    ),
    judged(
      "O10",
      "With `trustProxy`, the own host is the last element of X-Forwarded-Host.",
      "proxied",
      "accepted",
      ["10.0.0.1:3000", "https://shop.example", ["X-Forwarded-Host", "shop.example"]],
      ["10.0.0.1:3000", "https://shop.example", ["X-Forwarded-Host", "evil.example, shop.example"]],
    ),
    judged("O11", "Without `trustProxy`, X-Forwarded-Host does not count.", "main", "refused", [
      "10.0.0.1:3000",
      "https://shop.example",
      ["X-Forwarded-Host", "shop.example"],
    ]),
    {
      id: "O12",
      statement: "A repeated Origin is refused with 403.",
      limits: needsWire,
      async run(t) {
        const client = await t.handshake({
          headers: [
            ["Host", "shop.example"],
            ["Origin", "http://shop.example"],
            ["Origin", "http://shop.example"],
          ],
        });
        equal(client.response.status, 403);
      },
    },
    judged(
      "O15",
      "With `trustProxy`, the own host is the one that the client sees, with X-Forwarded-Port or as Forwarded says.",
      "proxied",
      "accepted",
      ["10.0.0.1:3000", "https://shop.example:8443", ["X-Forwarded-Host", "shop.example"], ["X-Forwarded-Port", "8443"]],
      ["shop.example", "https://shop.example:8443", ["X-Forwarded-Port", "8443"]],
      ["10.0.0.1:3000", "https://shop.example", ["Forwarded", "host=shop.example;proto=https"]],
      ["10.0.0.1:3000", "http://10.0.0.1:3000", ["X-Forwarded-Host", "shop.example/"]],
    ),
    judged(
      "O16",
      "No other host counts as the own: neither the upstream's name, nor a malformed header, nor an element left of a trusted proxy's.",
      "proxied",
      "refused",
      ["10.0.0.1:3000", "http://10.0.0.1:3000", ["X-Forwarded-Host", "shop.example"]],
      ["10.0.0.1:3000", "https://shop.example", ["X-Forwarded-Host", "shop.example/"]],
      ["10.0.0.1:3000", "https://evil.example", ["X-Forwarded-Host", "evil.example, shop.example"]],
      ["10.0.0.1:3000", "https://evil.example", ["Forwarded", "host=evil.example"], ["X-Forwarded-For", "203.0.113.7"]],
    ),
    judged(
      "O17",
      "Entries of `origins` are compared as a browser writes an origin: letters beyond ASCII, long IPv6 and IPv4 forms, capitals, a final dot.",
      "origins",
      "accepted",
      ["api.example", "https://xn--bcher-kva.example"],
      ["api.example", "https://shop.xn--mller-kva.example"],
      ["api.example", "http://[::1]:5173"],
      ["api.example", "https://dotted.example"],
      ["api.example", "https://dotted.example."],
      ["api.example", "http://127.0.0.1:8080"],
    ),
    judged(
      "O18",
      '`origins` may list any port of a host, an extension, "file://" and "null".',
      "origins",
      "accepted",
      ["api.example", "http://localhost"],
      ["api.example", "http://localhost:5173"],
      ["api.example", "https://a.ports.example:8443"],
      ["api.example", "https://a.ports.example"],
      ["api.example", "chrome-extension://abcdefgh"],
      ["api.example", "file://"],
      ["api.example", "null"],
    ),
    judged(
      "O19",
      "An entry that is almost one of those is refused.",
      "origins",
      "refused",
      ["api.example", "https://localhost:5173"],
      ["api.example", "http://localhost.evil:5173"],
      ["api.example", "http://evillocalhost:5173"],
      ["api.example", "http://localhost:5173.evil"],
      ["api.example", "https://ports.example:8443"],
      ["api.example", "https://evilports.example:8443"],
      ["api.example", "http://[::1]"],
      ["api.example", "https://xn--mller-kva.example"],
      ["api.example", "chrome-extension://abcdefghi"],
      ["api.example", "file:///etc"],
    ),
    judged("O20", "The function may be asynchronous: the origin is accepted when its promise resolves to true.", "rule", "accepted", [
      "api.example",
      "https://slow.ruled.example",
    ]),
    judged("O21", "It is refused when the promise resolves to false.", "rule", "refused", ["api.example", "https://slow.other.example"]),
    {
      id: "O22",
      statement:
        "If the promise rejects or resolves to anything else, `upgrade` has failed: 500. If it never settles, the answer is 503 after `upgradeTimeout`.",
      async run(t) {
        const refused = async (on: HandlerName, page: string): Promise<number> =>
          (
            await t.refused({
              on,
              headers: [
                ["Host", "api.example"],
                ["Origin", page],
              ],
            })
          ).status;
        equal(await refused("rule", "https://broken.example"), 500);
        equal(await refused("rule", "https://odd.example"), 500);
        equal(await refused("tight", "https://never.example"), 503);
        equal(await refused("tight", "https://other.example"), 403);
        await t.hook(await t.connect({ on: "tight" }), "upgrade");
        equal(t.entries().filter((entry) => entry.hook === "upgrade").length, 1, "runs of upgrade");
      },
    },
    {
      id: "O23",
      statement:
        "With `hosts`, a handshake for an unlisted name gets 421 before `upgrade`, whatever its Origin. A name listed without a port allows any port.",
      async run(t) {
        const headers = (...[host, ...more]: readonly [string, ...HeaderList]): HeaderList => [["Host", host], ...more];
        for (const listed of [
          headers("shop.example"),
          headers("SHOP.example.:3000"),
          headers("a.wild.example:80"),
          headers("ported.example:8080"),
          headers("xn--bcher-kva.example"),
          headers("[0:0:0:0:0:0:0:1]:3000"),
          headers("secure.example", ["X-Forwarded-Proto", "https"]),
          headers("10.0.0.1:3000", ["X-Forwarded-Host", "shop.example"]),
        ])
          await t.connect({ on: "named", headers: listed });
        for (const other of [
          headers("evil.example", ["Origin", "http://evil.example"]),
          headers("wild.example"),
          headers("evilwild.example"),
          headers("shop.example.evil.example"),
          headers("ported.example"),
          headers("ported.example:80"),
          headers("secure.example"),
          headers("127.0.0.1"),
          headers("shop.example", ["X-Forwarded-Host", "evil.example"]),
        ])
          equal((await t.refused({ on: "named", headers: other })).status, 421, JSON.stringify(other));
        await t.hook(await t.connect({ on: "named", headers: headers("shop.example") }), "upgrade");
        equal(t.entries().filter((entry) => entry.hook === "upgrade").length, 9, "runs of upgrade");
      },
    },
    judged("O14", "An Origin with an empty value counts as missing: the request is accepted.", "main", "accepted", ["shop.example", ""]),
    {
      id: "O13",
      statement: "The answer to a refused Origin does not reveal what is allowed.",
      async run(t) {
        const { body } = await t.refused({
          on: "origins",
          headers: [
            ["Host", "api.example"],
            ["Origin", "https://evil.example"],
          ],
        });
        equal(/app\.example|wild/.test(body), false, body);
      },
    },
  ],
};
