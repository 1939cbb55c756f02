/** What code written for WebSocket expects of one. */
import { ReconnectingWebSocket } from "edgewire/client";
import { equal, nameOf, type Case } from "../kit.ts";

export const dropIn: Case[] = [
  {
    name: "connects, with a WebSocket's properties",
    async run(kit) {
      const { socket, events } = kit.connect({ protocol: "chat" }, { heartbeat: 0 }, ["chat", "other"]);
      const { CONNECTING, OPEN, CLOSING, CLOSED } = ReconnectingWebSocket;
      equal([CONNECTING, OPEN, CLOSING, CLOSED], [0, 1, 2, 3]);
      equal([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED], [0, 1, 2, 3]);
      equal([socket.readyState, socket.protocol, socket.extensions, socket.bufferedAmount, socket.binaryType], [0, "", "", 0, "blob"]);
      equal(socket.url.startsWith("ws://127.0.0.1:"), true, socket.url);
      await kit.next(socket, "open");
      equal([socket.readyState, socket.protocol, typeof socket.extensions, socket.bufferedAmount], [1, "chat", "string", 0]);
      socket.close();
      equal(socket.readyState, 2);
      await kit.next(socket, "close");
      equal([socket.readyState, events.map(([type]) => type)], [3, ["open", "close"]]);
    },
  },
  {
    name: "a server that selects no subprotocol",
    async run(kit) {
      const { socket } = kit.connect();
      await socket.opened;
      equal([socket.protocol, socket.extensions], ["", ""]);
    },
  },
  {
    name: "properties and listeners are called once each",
    async run(kit) {
      const { socket } = kit.connect({ echo: true });
      const calls: string[] = [];
      for (const type of ["open", "message", "close"] as const) {
        socket[`on${type}`] = () => calls.push(`on${type}`);
        const listener = (): void => void calls.push(type);
        socket.addEventListener(type, listener);
        socket.addEventListener(type, listener);
        socket.addEventListener(type, { handleEvent: (event: Event) => calls.push(`${event.type} object`) });
      }
      await socket.opened;
      socket.send("hello");
      await kit.next(socket, "message");
      socket.close();
      await kit.next(socket, "close");
      equal(
        calls,
        ["open", "message", "close"].flatMap((type) => [`on${type}`, type, `${type} object`]),
      );
    },
  },
  {
    name: "listeners: once, a signal, removal",
    async run(kit) {
      const { socket } = kit.connect({ echo: true });
      const calls: string[] = [];
      const removed = (): void => void calls.push("removed");
      const controller = new AbortController();
      socket.addEventListener("message", removed);
      socket.removeEventListener("message", removed);
      socket.addEventListener("message", () => calls.push("once"), { once: true });
      socket.addEventListener("message", () => calls.push("signal"), { signal: controller.signal });
      socket.addEventListener("message", () => calls.push("always"));
      await socket.opened;
      socket.send("1");
      await kit.next(socket, "message");
      controller.abort();
      socket.send("2");
      await kit.next(socket, "message");
      equal(calls, ["once", "signal", "always", "always"]);
    },
  },
  {
    name: "a listener that throws disturbs nobody",
    async run(kit) {
      const { socket } = kit.connect({ echo: true });
      const calls: string[] = [];
      const fail = (): never => {
        throw new Error("of the application");
      };
      for (const type of ["open", "message", "status"] as const) {
        socket[`on${type}`] = fail;
        socket.addEventListener(type, fail);
        socket.addEventListener(type, () => calls.push(type));
      }
      socket.send("waits");
      await kit.until("its echo", () => calls.includes("message"));
      socket.send("goes on");
      await kit.next(socket, "message");
      equal([socket.readyState, calls], [1, ["open", "status", "message", "message"]]);
    },
  },
  {
    name: "events are of the runtime's classes, and tell their target",
    async run(kit) {
      const { socket } = kit.connect([{ steps: [["send", "hello"]] }, {}]);
      const globals = globalThis as unknown as Record<string, (new () => unknown) | undefined>;
      const is = (value: unknown, name: string): boolean => globals[name] === undefined || value instanceof globals[name];
      const seen: Event[] = [];
      for (const type of ["open", "message", "disconnect"]) socket.addEventListener(type, (event) => seen.push(event));
      const [open, message, disconnect] = await kit.until("its events", () => {
        if (seen.length === 2 && socket.readyState === 1) socket.send('!["close",1012,"restart"]');
        return seen.length > 2 && (seen as [Event, MessageEvent, CloseEvent]);
      });
      equal(
        [is(open, "Event"), is(message, "MessageEvent"), is(disconnect, "CloseEvent"), is(socket, "EventTarget")],
        [true, true, true, true],
      );
      equal([open.target === socket, open.currentTarget === socket, open.type], [true, true, "open"]);
      equal([message.data, message.origin], ["hello", socket.url.slice(0, socket.url.indexOf("/", 5))]);
      equal([disconnect.code, disconnect.reason], [1012, "restart"]);
    },
  },
  {
    name: "messages in a loop, in their order, to the end",
    async run(kit) {
      const steps = Array.from({ length: 200 }, (_, index) => ["send", String(index)] as const);
      const { socket } = kit.connect({ steps: [...steps, ["close", 1000]] });
      const read: unknown[] = [];
      for await (const message of socket) read.push(message);
      equal(
        read,
        steps.map(([, text]) => text),
      );
    },
  },
  {
    name: "opened resolves while it is open, and rejects once it never will be",
    async run(kit) {
      const { socket } = kit.connect([{ refuse: 503 }, {}]);
      await Promise.all([socket.opened, socket.opened]);
      equal(socket.readyState, 1);
      const other = kit.connect({ refuse: 503 }).socket;
      const outcome = other.opened.catch((error: Error) => error.message);
      other.close();
      equal(await outcome, "closed [EW509]");
      equal(await other.opened.catch((error: Error) => error.message), "closed [EW509]");
    },
  },
  {
    name: "an address that no WebSocket takes",
    async run(kit) {
      equal(
        nameOf(() => kit.open("nowhere:x")),
        "SyntaxError",
      );
      for (const protocols of [["a b"], ["a", "a"]]) {
        equal(
          nameOf(() => kit.connect({}, {}, protocols)),
          "SyntaxError",
        );
      }
    },
  },
  {
    name: "the text ping and its answer are no messages",
    async run(kit) {
      const { socket, events, seen } = kit.connect({ echo: true }, { heartbeat: 20 });
      await kit.until("two answers", async () => {
        await kit.sleep(60);
        return socket.latency !== undefined;
      });
      socket.send("hello");
      await kit.next(socket, "message");
      equal([(await seen())[0]?.received, events], [["hello"], [["open"], ["message", "hello"]]]);
    },
  },
];
