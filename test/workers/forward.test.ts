/** What a Worker makes of its object's 101: the first one it looks at, later ones it passes on. */
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

const headers = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

async function open(
  room: string,
  sent: Record<string, string> = headers,
): Promise<{ readonly status: number; readonly headers: [string, string][] }> {
  const response = await exports.default.fetch(`http://localhost/${room}`, { headers: sent });
  response.webSocket?.accept();
  response.webSocket?.close(1000);
  return { status: response.status, headers: [...response.headers] };
}

test("the first client and all after it get the same 101, in which nothing tells of the object", async () => {
  const first = await open("first");
  expect(first.status).toBe(101);
  expect(first.headers.map(([name]) => name)).not.toContain("edgewire-object");
  expect(await open("first")).toEqual(first);
  expect(await open("second")).toEqual(first);
});

test("a 101 declines compression where the client offers it, from the first client on", async () => {
  const offering = { ...headers, "Sec-WebSocket-Extensions": "permessage-deflate" };
  for (let client = 0; client < 3; client++) {
    expect((await open("offered", offering)).headers).toContainEqual(["sec-websocket-extensions", "none"]);
    expect((await open("offered")).headers).toEqual([]);
  }
});
