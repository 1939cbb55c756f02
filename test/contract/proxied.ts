/** Cases of chapter Z: where a client is, and what it asked for, as trusted proxies say. */
import { equal } from "node:assert/strict";
import type { Case, Context } from "../support/case.ts";
import type { HandlerName } from "../support/handler.ts";
import type { HeaderList } from "../wire/http.ts";

/** On workerd the peer's address is what this header says, elsewhere 127.0.0.1 is. */
const peerAt: HeaderList = [["CF-Connecting-IP", "127.0.0.1"]];

/** What `upgrade` and the connection see of the URL, up to its query. */
async function urlOf(t: Context, on: HandlerName, headers: HeaderList): Promise<string> {
  const named = headers.some(([name]) => name === "Host") ? headers : [["Host", "10.0.0.9:3000"] as const, ...headers];
  const peer = await t.connect({ on, path: "/p", headers: [...peerAt, ...named], open: [["inspect"]] });
  const { url } = await t.did(peer, "inspect");
  equal(url, (await t.hook(peer, "upgrade"))["url"]);
  return String(url).split("?")[0] ?? "";
}

/** Each list of headers, and the URL that comes of it. */
function seen(id: string, statement: string, on: HandlerName, ...rows: readonly (readonly [url: string, ...headers: HeaderList])[]): Case {
  return {
    id,
    statement,
    async run(t) {
      for (const [url, ...headers] of rows) equal(await urlOf(t, on, headers), `${url}/p`, JSON.stringify(headers));
    },
  };
}

export const proxied: readonly Case[] = [
  seen(
    "Z20",
    "With `trustProxy`, hooks see the client's URL: scheme, host and port of X-Forwarded-Proto, -Host and -Port, each from the nearest proxy.",
    "proxied",
    ["https://10.0.0.9:3000", ["X-Forwarded-Proto", "https"]],
    ["https://shop.example", ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", "Shop.example"]],
    ["https://shop.example:8443", ["X-Forwarded-Proto", "wss"], ["X-Forwarded-Host", "shop.example"], ["X-Forwarded-Port", "8443"]],
    ["https://shop.example:8443", ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", "shop.example:8443"], ["X-Forwarded-Port", "80"]],
    ["https://10.0.0.9", ["X-Forwarded-Proto", "https"], ["X-Forwarded-Port", "443"]],
    ["http://shop.example", ["X-Forwarded-Proto", "https, http"], ["X-Forwarded-Host", "evil.example, shop.example"]],
  ),
  seen(
    "Z21",
    "RFC 7239's Forwarded has the same effect where there is no X-Forwarded header, and none where there is one.",
    "proxied",
    ["https://shop.example", ["Forwarded", "for=203.0.113.7;proto=https;host=shop.example"]],
    [
      "https://shop.example:8443",
      ["Forwarded", 'for=6.6.6.6;host=evil.example, For="[2001:db8::1]:4711";Host="shop.example:8443";Proto=HTTPS'],
    ],
    ["http://10.0.0.9:3000", ["Forwarded", "proto=https;host=evil.example"], ["X-Forwarded-For", "203.0.113.7"]],
  ),
  seen(
    "Z22",
    "Malformed values in these headers are ignored.",
    "proxied",
    ["http://10.0.0.9:3000", ["X-Forwarded-Proto", "gopher"], ["X-Forwarded-Host", "evil.example/admin?"], ["X-Forwarded-Port", "0"]],
    ["http://10.0.0.9:3000", ["X-Forwarded-Proto", ""], ["X-Forwarded-Host", ""], ["X-Forwarded-Port", "70000"]],
    ["http://10.0.0.9:3000", ["X-Forwarded-Host", "a b"], ["X-Forwarded-Port", "80a"]],
    ["http://10.0.0.9:3000", ["Forwarded", "proto=https;proto=http"]],
    ["http://10.0.0.9:3000", ["Forwarded", "proto=https, host"]],
    ["https://10.0.0.9:3000", ["Forwarded", 'proto=https;host="a/b"']],
  ),
  seen(
    "Z23",
    "Untrusted peers' headers don't count, and in a chain only the elements that trusted proxies wrote count.",
    "networks",
    [
      "https://shop.example:8443",
      ["X-Forwarded-For", "6.6.6.6, 203.0.113.7, 10.0.0.2"],
      ["X-Forwarded-Proto", "ws, https, http"],
      ["X-Forwarded-Host", "evil.example, shop.example, inner.example"],
      ["X-Forwarded-Port", "1, 8443, 80"],
    ],
    [
      "https://shop.example",
      ["Forwarded", "host=evil.example, for=203.0.113.7;host=shop.example;proto=https, for=10.0.0.2;host=inner.example"],
    ],
  ),
  seen(
    "Z24",
    "Without `trustProxy`, none of these headers counts.",
    "main",
    [
      "http://10.0.0.9:3000",
      ["X-Forwarded-For", "6.6.6.6"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Host", "evil.example"],
      ["X-Forwarded-Port", "443"],
    ],
    ["http://10.0.0.9:3000", ["Forwarded", "for=6.6.6.6;host=evil.example;proto=https"]],
  ),
];
