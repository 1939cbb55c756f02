/** When it comes back, when it stays away, and what it tells of that. */
import { finalCloseCodes, type DisconnectEvent, type ReconnectingWebSocket, type RetryEvent } from "edgewire/client";
import { equal, type Case, type Kit, type Step } from "../kit.ts";

async function comesBack(kit: Kit, end: Step, code: number): Promise<void> {
  const { socket, events } = kit.connect([{}, { steps: [["send", "again"]] }]);
  socket.addEventListener("open", () => socket.send(`!${JSON.stringify(end)}`), { once: true });
  await kit.next(socket, "message");
  equal(events, [["open"], ["disconnect", code], ["open"], ["message", "again"]]);
}

export const returning: Case[] = [
  {
    name: "comes back after 1001, 1011, 1012, 1013, 4000, no code, and a reset",
    async run(kit) {
      for (const code of [1001, 1011, 1012, 1013, 4000]) await comesBack(kit, ["close", code], code);
      await comesBack(kit, ["close"], 1005);
      await comesBack(kit, ["reset"], 1006);
    },
  },
  {
    name: "comes back after 1014",
    run: (kit) => comesBack(kit, ["close", 1014], 1014),
  },
  {
    name: "stays away after each final code, also with a reason to retry",
    async run(kit) {
      const sendable = finalCloseCodes.filter((code) => code !== 1010);
      for (const reason of ["", "retry in 1 ms"]) {
        const clients = await Promise.all(
          sendable.map(async (code) => {
            const client = kit.connect({ steps: [["close", code, reason]] });
            await kit.until("its end", () => client.socket.readyState === 3);
            return { code, ...client };
          }),
        );
        await kit.sleep(200);
        for (const { code, events, seen } of clients) equal([events, (await seen()).length], [[["open"], ["close", code]], 1]);
      }
    },
  },
  {
    name: "finalCodes replaces the list",
    async run(kit) {
      const { socket, events } = kit.connect([{ steps: [["close", 1000]] }, { steps: [["close", 4001]] }], { finalCodes: [4001] });
      await kit.next(socket, "close");
      equal(events, [["open"], ["disconnect", 1000], ["open"], ["close", 4001]]);
    },
  },
  {
    name: "retry in N ms: not before, and never longer than maxDelay",
    async run(kit) {
      const { socket } = kit.connect({ steps: [["close", 1012, "retry in 5000 ms"]] }, { firstDelay: 1, maxDelay: 10_000 });
      const { code, reason, cause, retryAt } = await kit.next<DisconnectEvent>(socket, "disconnect");
      equal([code, reason, cause, retryAt === socket.retryAt], [1012, "retry in 5000 ms", undefined, true]);
      const wait = retryAt - Date.now();
      equal(wait > 2000 && wait <= 5001, true, String(wait));
      const { socket: other } = kit.connect([{ steps: [["close", 1012, "retry in 999999999 ms"]] }, {}], { maxDelay: 200 });
      await kit.next(other, "disconnect");
      equal(other.retryAt! - Date.now() <= 200, true);
      await kit.next(other, "open");
    },
  },
  {
    name: "an attempt that fails is the event retry, with cause and retryAt, and no error",
    async run(kit) {
      const { socket, events } = kit.connect([{ refuse: 503 }, { refuse: 403 }, {}]);
      const { cause, retryAt } = await kit.next<RetryEvent>(socket, "retry");
      equal([cause instanceof Error, typeof retryAt, Math.abs(retryAt - Date.now()) < 1000], [true, "number", true]);
      await kit.next(socket, "open");
      equal(events, [["retry"], ["retry"], ["open"]]);
    },
  },
  {
    name: "so is one that finds nobody, and one that nobody answers",
    async run(kit) {
      // Port 1 is nobody's.
      const refused = kit.open("ws://127.0.0.1:1/");
      const { cause } = await kit.next<RetryEvent>(refused.socket, "retry");
      equal([cause instanceof Error, refused.socket.readyState, refused.events], [true, 0, [["retry"]]]);
      refused.socket.close();
      const silent = kit.connect({ hang: true }, { connectTimeout: 200 });
      const late = await kit.next<RetryEvent>(silent.socket, "retry");
      equal((late.cause as Error).message, "connection timeout [EW511]");
    },
  },
  {
    name: "code for which an error is the end makes no second connection",
    async run(kit) {
      const { url, seen } = kit.address({ refuse: 503 }, { refuse: 503 }, { refuse: 503 }, {}, {});
      const made: ReconnectingWebSocket[] = [];
      const connect = (): void => {
        const { socket } = kit.open(url);
        made.push(socket);
        socket.onerror = () => setTimeout(connect, 20);
      };
      connect();
      await kit.until("a connection", () => made.some(({ readyState }) => readyState === 1));
      await kit.sleep(200);
      equal([made.length, (await seen()).length], [1, 1]);
    },
  },
  {
    name: "error is the end: once, with its cause, right before close",
    async run(kit) {
      const { socket, events } = kit.connect({ refuse: 503 }, { finalCodes: [1006] });
      const errors: unknown[] = [];
      socket.onerror = ({ error }) => errors.push(error instanceof Error);
      await kit.next(socket, "close");
      await kit.sleep(150);
      equal([errors, events, socket.readyState], [[true], [["error"], ["close", 1006]], 3]);
    },
  },
  {
    name: "a function is asked for the address before each attempt, and for subprotocols",
    async run(kit) {
      const addresses = [kit.address({ protocol: "one", steps: [["close", 1012]] }), kit.address({ protocol: "two" })];
      const asked: string[] = [];
      const { socket } = kit.open(
        async () => new URL(addresses[asked.push("address") < 2 ? 0 : 1]!.url),
        {},
        () => ["one", asked.length === 2 ? "two" : "none"],
      );
      equal(socket.url, "");
      await kit.next(socket, "disconnect");
      await kit.next(socket, "open");
      equal([socket.protocol, socket.url, asked.length], ["two", addresses[1]!.url, 2]);
    },
  },
  {
    name: "one that throws or rejects is an attempt that failed",
    async run(kit) {
      const { url } = kit.address();
      const fault = new Error("no ticket");
      let turn = 0;
      const { socket, events } = kit.open(() => {
        if (++turn === 1) throw fault;
        return turn === 2 ? Promise.reject(fault) : url;
      });
      equal((await kit.next<RetryEvent>(socket, "retry")).cause === fault, true);
      await kit.next(socket, "open");
      equal(events, [["retry"], ["retry"], ["open"]]);
    },
  },
  {
    name: "one that returns no address is the end",
    async run(kit) {
      const wrong = kit.open(async () => "nowhere:x");
      await kit.next(wrong.socket, "close");
      equal(wrong.events, [["error"], ["close", 1006]]);
    },
  },
  {
    name: "retry() does not wait",
    async run(kit) {
      const { socket } = kit.connect([{ refuse: 503 }, {}], { firstDelay: 600_000, maxDelay: 600_000 });
      await kit.next(socket, "retry");
      equal(socket.status, "waiting");
      socket.retry();
      await kit.next(socket, "open");
    },
  },
  {
    name: "a server that falls silent is noticed",
    async run(kit) {
      const { socket } = kit.connect([{ mute: true }, {}], { heartbeat: 50, heartbeatTimeout: 200 });
      const { code, wasClean, cause } = await kit.next<DisconnectEvent>(socket, "disconnect");
      equal([code, wasClean, (cause as Error).message], [1006, false, "heartbeat timeout [EW510]"]);
      await kit.next(socket, "open");
    },
  },
];
