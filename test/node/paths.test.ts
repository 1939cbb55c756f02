/** `attach` takes a handshake by the path that `upgrade` sees. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { defineHandler } from "edgewire";
import { attach } from "edgewire/node";
import { handshake } from "../support/client.ts";

test.each([
  ["/public", "public http://localhost/public"],
  ["/admin?x", "admin http://localhost/admin?x"],
  ["/public/../admin", "admin http://localhost/admin"],
  ["/public/%2E%2e/admin", "admin http://localhost/admin"],
  ["/public\\..\\admin", "admin http://localhost/admin"],
  ["http://localhost/admin", "admin http://localhost/admin"],
  ["//localhost/admin", "404"],
  ["/admin/", "404"],
])("%s", async (target, expected) => {
  const server = createServer();
  for (const path of ["/public", "/admin"]) {
    attach(server, defineHandler({ upgrade: ({ url }) => ({ headers: { "x-seen": `${path.slice(1)} ${url}` } }) }), { path });
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = await handshake({ port: (server.address() as AddressInfo).port }, { target, headers: [["Host", "localhost"]] });
  expect(client.response.header("x-seen") ?? String(client.response.status)).toBe(expected);
  client.destroy();
  server.close();
});
