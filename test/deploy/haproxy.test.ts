import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { expect, test } from "vitest";
import { decodeFrame, messageFrame } from "../wire/frames.ts";
import { host } from "./proxies.ts";
import { paths, place, testProxy } from "./through.ts";

testProxy("haproxy", ["node"]);

test.skipIf(paths.haproxy === "")("a WebSocket over HTTP/2 reaches the server over HTTP/1.1", async () => {
  await using at = await place("haproxy", "node");
  const session = connect(`https://127.0.0.1:${at.port}`, { servername: host, rejectUnauthorized: false });
  await once(session, "remoteSettings");
  expect(session.remoteSettings?.enableConnectProtocol).toBe(true);
  // RFC 8441 section 5.
  const head = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": "/lobby", ":authority": host };
  const stream = session.request({ ...head, "sec-websocket-version": "13", origin: `https://${host}` });
  const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
  expect(answer[":status"]).toBe(200);
  stream.write(messageFrame("over HTTP/2"));
  const [bytes] = (await once(stream, "data")) as [Buffer];
  expect(decodeFrame(bytes, 0)).toMatchObject({ frame: { payload: Buffer.from("over HTTP/2") } });
  session.destroy();
});
