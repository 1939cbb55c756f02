/** An object takes 32 768 sockets (Cloudflare documentation, DurableObjectState.acceptWebSocket): more than a test's TCP connections, so most are halves that nobody holds. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { connect } from "./client.ts";

const most = 32_768;
const upgrade = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

test("the 32 769th socket of an object is refused with 503, and the others stay", { timeout: 60_000 }, async () => {
  const first = await connect("full");
  await runInDurableObject(env.ROOM.getByName("full"), (_, state) => {
    for (let count = 1; count < most; count++) state.acceptWebSocket(new WebSocketPair()[1]);
    expect(state.getWebSockets()).toHaveLength(most);
  });
  const refused = await exports.default.fetch("http://localhost/full", { headers: upgrade });
  expect([refused.status, refused.headers.get("retry-after"), refused.webSocket]).toEqual([503, "1", null]);
  expect(await refused.text()).toBe("the room is full\n");
  expect(await first.ask("still here")).toBeDefined();
  await runInDurableObject(env.ROOM.getByName("full"), (_, state) => {
    expect(state.getWebSockets()).toHaveLength(most);
  });
});
