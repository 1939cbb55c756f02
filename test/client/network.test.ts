/** Through a faulty network: what Node's own WebSocket and `ws` make of it, and the client of them. */
import { once } from "node:events";
import { defineHandler } from "edgewire";
import { ReconnectingWebSocket, type ClientOptions, type DisconnectEvent, type RetryEvent } from "edgewire/client";
import { serve } from "edgewire/node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket as Ws } from "ws";
import { Proxy } from "./proxy.ts";

const kinds = [
  ["Node's own", WebSocket],
  ["ws", Ws],
] as const;

describe.each(kinds)("%s", (_, WebSocket) => {
  const received: string[] = [];
  let server: Awaited<ReturnType<typeof serve>>;
  let proxy: Proxy;
  let socket: ReconnectingWebSocket;

  beforeEach(async () => {
    received.length = 0;
    server = await serve(
      defineHandler({
        message(connection, data) {
          received.push(String(data));
          connection.send(`echo ${String(data)}`);
        },
      }),
      { hostname: "127.0.0.1" },
    );
    proxy = await Proxy.to(server.port);
  });
  afterEach(async () => {
    socket.close();
    await proxy[Symbol.asyncDispose]();
    await server.close();
  });

  function connect(options: ClientOptions = {}): ReconnectingWebSocket {
    socket = new ReconnectingWebSocket(proxy.url, [], { WebSocket, firstDelay: 50, maxDelay: 100, stableAfter: 0, ...options });
    return socket;
  }

  test.for(["cut", "halfClose"] as const)("%s: disconnect with 1006, and back", async (how) => {
    await connect().opened;
    const lost = once(socket, "disconnect");
    proxy[how]();
    const [{ code, wasClean }] = (await lost) as [CloseEvent];
    expect({ code, wasClean }).toEqual({ code: 1006, wasClean: false });
    expect(socket.send("while away")).toBe("queued");
    await once(socket, "message");
    expect(received).toEqual(["while away"]);
  });

  test("everything dropped silently: the heartbeat notices", async () => {
    await connect({ heartbeat: 100, heartbeatTimeout: 200 }).opened;
    await expect.poll(() => socket.latency).toBeDefined();
    const lost = once(socket, "disconnect");
    proxy.silent = true;
    expect(socket.send("lost")).toBe("sent");
    const [{ code, cause }] = (await lost) as [DisconnectEvent];
    expect([code, (cause as Error).message]).toEqual([1006, "heartbeat timeout [EW510]"]);
    proxy.silent = false;
    await socket.opened;
    // It may have been delivered, for all that the client knows: it is not sent again.
    socket.send("next");
    await once(socket, "message");
    expect(received).toEqual(["next"]);
  });

  test("an attempt that nobody answers is given up", async () => {
    proxy.silent = true;
    const [{ cause }] = (await once(connect({ connectTimeout: 200 }), "retry")) as [RetryEvent];
    expect((cause as Error).message).toBe("connection timeout [EW511]");
    proxy.silent = false;
    await socket.opened;
  });

  test("a delay is latency, and nothing is lost", async () => {
    await connect().opened;
    proxy.delay = 60;
    socket.send("slow");
    const [{ data }] = (await once(socket, "message")) as [MessageEvent];
    expect(data).toBe("echo slow");
    expect(socket.status).toBe("open");
  });

  test("a server that is gone for a while", async () => {
    await connect().opened;
    const port = await proxy.down();
    await once(socket, "retry");
    expect(socket.readyState).toBe(0);
    await proxy.listen(port);
    await socket.opened;
  });

  test("a server that closes: with 1001 it is awaited", async () => {
    await connect().opened;
    const lost = once(socket, "disconnect");
    await server.close();
    const [{ code, wasClean }] = (await lost) as [CloseEvent];
    expect({ code, wasClean }).toEqual({ code: 1001, wasClean: true });
  });
});
