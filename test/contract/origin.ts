import { equal } from "node:assert/strict";
import { needsWire, type Case, type Chapter } from "../case.ts";
import type { HandlerName } from "../handler.ts";
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
      statement: "Without an Origin the client is no browser: accepted.",
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
      "Another host, another port, a sub-domain or a suffix of the host: 403, and `upgrade` does not run.",
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
      "`null`, a list and what is no origin: 403.",
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
      "`origins` lists exact origins and patterns, scheme and port included; the own host stays allowed.",
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
      ["api.example", "null"],
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
      "X-Forwarded-Host counts under `trustProxy`, its last element.",
      "proxied",
      "accepted",
      ["10.0.0.1:3000", "https://shop.example", ["X-Forwarded-Host", "shop.example"]],
      ["10.0.0.1:3000", "https://shop.example", ["X-Forwarded-Host", "evil.example, shop.example"]],
    ),
    judged("O11", "X-Forwarded-Host does not count without `trustProxy`.", "main", "refused", [
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
      "Under `trustProxy` the own host is the one at which the client sees the server: with X-Forwarded-Port, or what Forwarded says.",
      "proxied",
      "accepted",
      ["10.0.0.1:3000", "https://shop.example:8443", ["X-Forwarded-Host", "shop.example"], ["X-Forwarded-Port", "8443"]],
      ["shop.example", "https://shop.example:8443", ["X-Forwarded-Port", "8443"]],
      ["10.0.0.1:3000", "https://shop.example", ["Forwarded", "host=shop.example;proto=https"]],
      ["10.0.0.1:3000", "http://10.0.0.1:3000", ["X-Forwarded-Host", "shop.example/"]],
    ),
    judged(
      "O16",
      "And no other: neither its upstream's name, nor what a header says that is malformed, or left of a trusted proxy's.",
      "proxied",
      "refused",
      ["10.0.0.1:3000", "http://10.0.0.1:3000", ["X-Forwarded-Host", "shop.example"]],
      ["10.0.0.1:3000", "https://shop.example", ["X-Forwarded-Host", "shop.example/"]],
      ["10.0.0.1:3000", "https://evil.example", ["X-Forwarded-Host", "evil.example, shop.example"]],
      ["10.0.0.1:3000", "https://evil.example", ["Forwarded", "host=evil.example"], ["X-Forwarded-For", "203.0.113.7"]],
    ),
    judged("O14", "An Origin with an empty value is none: accepted.", "main", "accepted", ["shop.example", ""]),
    {
      id: "O13",
      statement: "The answer to a refused Origin says nothing of what is allowed.",
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
