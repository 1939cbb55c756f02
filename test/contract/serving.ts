import { deepEqual, equal, ok } from "node:assert/strict";
import { needsRooms, needsWire, type Chapter } from "../support/case.ts";
import { expectTexts } from "../support/peer.ts";
import { secret } from "../support/show.ts";

export const http: Chapter = {
  letter: "W",
  title: "HTTP and WebSocket on one port",
  cases: [
    {
      id: "W1",
      statement: "Requests that don't ask for a WebSocket go to `fetch`, on the same port, with method, path and body.",
      limits: needsWire,
      async run(t) {
        for (const [method, body] of [
          ["GET", ""],
          ["POST", "a body"],
          ["DELETE", ""],
        ] as const) {
          const client = await t.http("/hello", method, body);
          equal(client.response.status, 200);
          equal(client.response.header("x-served-by"), "fetch");
          equal(await client.body(), `${method} /hello ${body}`);
        }
        const peer = await t.connect({ path: "/hello" });
        await peer.send("and a WebSocket");
        await expectTexts(peer, "and a WebSocket");
      },
    },
    {
      id: "W2",
      statement: "HTTP and WebSockets work at the same time: 20 of each.",
      limits: needsWire,
      async run(t) {
        const [answers, peers] = await Promise.all([
          Promise.all(Array.from({ length: 20 }, (_, index) => t.http(`/${index}`).then((client) => client.body()))),
          Promise.all(Array.from({ length: 20 }, () => t.connect())),
        ]);
        deepEqual(
          answers,
          answers.map((_, index) => `GET /${index} `),
        );
        for (const peer of peers) {
          await peer.send("hello");
          await expectTexts(peer, "hello");
        }
      },
    },
    {
      id: "W3",
      statement: "A broken handshake is answered by the handler's checks, not by `fetch`.",
      limits: needsWire,
      async run(t) {
        const client = await t.handshake({ headers: [["Sec-WebSocket-Version", "12"]] });
        equal(client.response.status, 426);
        equal(client.response.header("x-served-by"), undefined);
      },
    },
    {
      id: "W4",
      statement:
        "A request for another protocol than WebSocket goes to `fetch`. One that names WebSocket among others, or in another case, does not.",
      limits: { ...needsWire, attached: "P44" },
      async run(t) {
        const asking = async (upgrade: string): Promise<string | undefined> => {
          const client = await t.dial();
          client.write(`GET /other HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
          await client.head();
          return client.response.header("x-served-by");
        };
        for (const upgrade of ["h2c", "websockets", "TLS/1.0, HTTP/1.1"]) equal(await asking(upgrade), "fetch", upgrade);
        for (const upgrade of ["WebSocket", "h2c, websocket"]) equal(await asking(upgrade), undefined, upgrade);
      },
    },
  ],
};

export const tls: Chapter = {
  letter: "L",
  title: "TLS",
  cases: [
    {
      id: "L1",
      statement: "`wss://` with a certificate of one's own: handshake, messages and close work as without TLS, and HTTPS works too.",
      limits: { ...needsWire, workers: "P3", durable: "P3", evicted: "P3" },
      async run(t) {
        const peer = await t.connect({ on: "tls", message: [["inspect"], ["echo"]] });
        await peer.send("secret");
        await expectTexts(peer, "secret");
        ok(String((await t.did(peer, "inspect"))["url"]).startsWith("https://localhost:"));
        await peer.close(4000, "bye");
        deepEqual(await t.closing(peer), { code: 4000, reason: "bye", initiator: "client" });
        const client = await t.http("/hello", "GET", "", "tls");
        equal(await client.body(), "GET /hello ");
      },
    },
    {
      id: "L2",
      statement: "Messages of 1 MiB pass over TLS in both directions.",
      limits: { ...needsWire, workers: "P3", durable: "P3", evicted: "P3" },
      async run(t) {
        const peer = await t.connect({ on: "tls" });
        const data = Buffer.alloc(1024 * 1024, 5);
        await peer.send(data);
        const event = await peer.next();
        ok(event.type === "binary" && event.data.equals(data));
      },
    },
    {
      id: "L3",
      statement: "Bytes that are not TLS on a TLS port end their own TCP connection and nothing else.",
      limits: { ...needsWire, workers: "P3", durable: "P3", evicted: "P3" },
      async run(t) {
        const client = await t.dial("tls", false);
        client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await client.head().catch(() => {});
        await t.barrier("tls");
      },
    },
  ],
};

export const isolation: Chapter = {
  letter: "I",
  title: "Isolation",
  cases: [
    {
      id: "I1",
      statement: "Two handlers in one process with the same room and topic don't receive each other's messages.",
      limits: needsRooms,
      async run(t) {
        const options = { open: [["subscribe", "a"]], message: "run" } as const;
        const [one, two, three] = [
          await t.connect(options),
          await t.connect({ ...options, on: "second" }),
          await t.connect({ ...options, on: "second" }),
        ];
        await two.send(JSON.stringify([["publish", "a", "second's"], ["peers"]]));
        await expectTexts(three, "second's");
        equal((await t.did(two, "publish"))["result"], 1);
        equal(((await t.did(two, "peers"))["result"] as string[]).length, 2);
        await one.send(JSON.stringify([["send", "nothing else"]]));
        await expectTexts(one, "nothing else");
      },
    },
    {
      id: "I2",
      statement: "A client that resets, breaks the protocol or has a failing hook disturbs no other connection of its room.",
      limits: needsWire,
      async run(t) {
        const witness = await t.connect();
        for (const disturb of ["reset", "garbage", "failure"] as const) {
          const peer = await t.connect({ message: [["throw", "secret"]] });
          if (disturb === "reset") peer.wire.reset();
          else if (disturb === "garbage") peer.wire.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
          else await peer.send("go");
          if (disturb === "garbage") peer.wire.reset();
          await t.closing(peer);
          await witness.send(disturb);
          await expectTexts(witness, disturb);
        }
      },
    },
    {
      id: "I3",
      statement: "Ids are unique across rooms and handlers.",
      async run(t) {
        const peers = await Promise.all(
          Array.from({ length: 30 }, (_, index) => t.connect({ on: index % 2 === 0 ? "main" : "second", room: String(index % 3) })),
        );
        const ids = await Promise.all(peers.map(async (peer) => (await t.hook(peer, "open")).id));
        equal(new Set(ids).size, 30);
      },
    },
    {
      id: "I4",
      statement: "JSON, spread and `console.log` of a connection, a room or `rooms` show neither the environment nor another client.",
      async run(t) {
        const other = await t.connect({
          upgrade: [["accept", { state: "another's state" }]],
          open: t.column === "workers" ? [] : [["subscribe", "another's topic"]],
          message: [["send", "in another's URL"]],
        });
        const peer = await t.connect({ upgrade: [["accept", { state: "its own" }]], message: "run", close: [["show"]] });
        // Twice: while another message waits for the hook, and of a connection that is over.
        await peer.send(JSON.stringify([["sleep", 50], ["show"]]));
        await peer.send(JSON.stringify([["send", "shown"]]));
        await expectTexts(peer, "shown");
        await peer.close(1000);
        const shown = [await t.did(peer, "show"), await t.did(peer, "show", 2)] as const;
        for (const entry of shown) equal(entry["env"], secret);
        const { id } = shown[0];
        const printed = t.printed(id!);
        equal(printed.split("Connection {").length - 1, 2, printed);
        const all = `${JSON.stringify(shown.map((entry) => entry["shown"]))}\n${printed}`;
        ok(all.includes(id!) && all.includes("its own"), all);
        for (const hidden of [secret, (await t.hook(other, "open")).id!, "another's", "another%27s"]) ok(!all.includes(hidden), all);
      },
    },
  ],
};
