/** Whatever ends it ends it, once, everywhere. */
import { equal, nameOf, type Case, type Kit } from "../kit.ts";

interface Ended {
  readonly event: readonly [code: number, reason: string, wasClean: boolean];
  readonly server: readonly [code: number, reason: string] | undefined;
}

async function closed(kit: Kit, ...how: [code?: number, reason?: string]): Promise<Ended> {
  const { socket, seen } = kit.connect();
  await socket.opened;
  const closing = kit.next<CloseEvent>(socket, "close");
  socket.close(...how);
  const { code, reason, wasClean } = await closing;
  const server = await kit.until("its close frame", async () => (await seen())[0]?.closed);
  return { event: [code, reason, wasClean], server };
}

/** What remains of it is a closed socket that stays one. */
async function staysClosed(kit: Kit, { socket, events }: ReturnType<Kit["open"]>, expected: unknown): Promise<void> {
  await kit.until("its end", () => socket.readyState === 3);
  await kit.sleep(150);
  equal(events, expected);
}

export const closing: Case[] = [
  {
    name: "close() of an open socket, without arguments",
    async run(kit) {
      equal(await closed(kit), { event: [1005, "", true], server: [1005, ""] });
    },
  },
  {
    name: "close() with undefined, and with a reason alone",
    async run(kit) {
      equal(await closed(kit, undefined, ""), { event: [1005, "", true], server: [1005, ""] });
      equal(await closed(kit, undefined, "bye"), { event: [1000, "bye", true], server: [1000, "bye"] });
    },
  },
  {
    name: "close() with a code and a reason",
    async run(kit) {
      equal(await closed(kit, 1000), { event: [1000, "", true], server: [1000, ""] });
      equal(await closed(kit, 4999, "é".repeat(61)), { event: [4999, "é".repeat(61), true], server: [4999, "é".repeat(61)] });
    },
  },
  {
    name: "close() with what no client may send",
    async run(kit) {
      const { socket, seen } = kit.connect({ echo: true });
      await socket.opened;
      for (const code of [0, 999, 1001, 1005, 1006, 2999, 3000.5, 5000, Number.NaN]) {
        equal(
          nameOf(() => socket.close(code)),
          "InvalidAccessError",
          String(code),
        );
      }
      equal(
        nameOf(() => socket.close(1000, "é".repeat(62))),
        "SyntaxError",
      );
      socket.send("still here");
      await kit.next(socket, "message");
      equal([socket.readyState, (await seen()).length], [1, 1]);
    },
  },
  {
    name: "close() while it connects, and while it waits",
    async run(kit) {
      const connecting = kit.connect();
      connecting.socket.close(4000, "changed my mind");
      equal(connecting.socket.readyState, 2);
      await staysClosed(kit, connecting, [["close", 4000]]);
      const waiting = kit.connect({ refuse: 503 });
      await kit.next(waiting.socket, "retry");
      waiting.socket.close();
      await staysClosed(kit, waiting, [["retry"], ["close", 1005]]);
      const never = kit.connect({ hang: true });
      await kit.sleep(50);
      never.socket.close();
      await staysClosed(kit, never, [["close", 1005]]);
    },
  },
  {
    name: "close() twice, and after the end",
    async run(kit) {
      const one = kit.connect();
      await one.socket.opened;
      one.socket.close(4000);
      one.socket.close(4001);
      await staysClosed(kit, one, [["open"], ["close", 4000]]);
      one.socket.close(4002);
      await staysClosed(kit, one, [["open"], ["close", 4000]]);
      equal((await one.seen()).length, 1);
    },
  },
  {
    name: "close() within open, message, disconnect, retry and close",
    async run(kit) {
      for (const [type, plan, expected] of [
        ["open", {}, [["open"], ["close", 4000]]],
        ["message", { steps: [["send", "x"]] }, [["open"], ["message", "x"], ["close", 4000]]],
        ["disconnect", { steps: [["close", 1012]] }, [["open"], ["disconnect", 1012], ["close", 4000]]],
        ["retry", { refuse: 503 }, [["retry"], ["close", 4000]]],
        ["close", { steps: [["close", 1000]] }, [["open"], ["close", 1000]]],
      ] as const) {
        const one = kit.connect(plan);
        one.socket.addEventListener(type, () => one.socket.close(4000), { once: true });
        await staysClosed(kit, one, expected);
      }
    },
  },
  {
    name: "a close that the server does not answer is over after connectTimeout",
    async run(kit) {
      const one = kit.connect({ steps: [["send", "deaf"], ["deaf"]] }, { connectTimeout: 5000 });
      await kit.next(one.socket, "message");
      one.socket.close(4000);
      await staysClosed(kit, one, [["open"], ["message", "deaf"], ["close", 1006]]);
    },
  },
  {
    name: "an AbortSignal: before, while it connects, while it waits, while it is open, after",
    async run(kit) {
      const before = new AbortController();
      before.abort();
      await staysClosed(kit, kit.connect({}, { signal: before.signal }), [["close", 1005]]);

      const connecting = new AbortController();
      const one = kit.connect({ hang: true }, { signal: connecting.signal });
      await kit.sleep(20);
      connecting.abort();
      await staysClosed(kit, one, [["close", 1005]]);

      const waiting = new AbortController();
      const two = kit.connect({ refuse: 503 }, { signal: waiting.signal });
      two.socket.onretry = () => waiting.abort();
      await staysClosed(kit, two, [["retry"], ["close", 1005]]);

      const open = new AbortController();
      const three = kit.connect({}, { signal: open.signal });
      await three.socket.opened;
      open.abort();
      equal(three.socket.readyState, 2);
      await kit.next(three.socket, "close");
      const [[, code] = []] = three.events.slice(-1);
      equal((await kit.until("its close frame", async () => (await three.seen())[0]?.closed))[0], code);
      open.abort();
      await staysClosed(kit, three, three.events);
    },
  },
  {
    name: "nothing is delivered once it closes; what is sent then is refused",
    async run(kit) {
      const one = kit.connect({ echo: true });
      await one.socket.opened;
      one.socket.send("lost");
      one.socket.close(4000);
      equal(one.socket.send("late"), "refused");
      one.socket.onclose = () => equal(one.socket.send("later"), "refused");
      await staysClosed(kit, one, [["open"], ["drop", "late"], ["drop", "later"], ["close", 4000]]);
    },
  },
];
