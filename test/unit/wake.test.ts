/** The hook `wake`, in memory: when it runs, how often, and what it may do. */
import { expect, test, vi } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import { defineHandler } from "../../src/index.ts";
import type { Handler } from "../../src/index.ts";
import { messageHandler } from "../../src/messages/index.ts";
import { defineMessages } from "../../src/messages/define.ts";
import { settle } from "./fake.ts";

type Named = { readonly name: string };

/** A handler that logs its hooks with the names of their connections. */
function logged(hooks: Partial<Handler<Named>> = {}): { log: string[]; handler: ReturnType<typeof defineHandler<Named>> } {
  const log: string[] = [];
  const handler = defineHandler<Named>({
    upgrade: (request) => ({ state: { name: new URL(request.url).pathname.slice(1) } }),
    open: ({ state }) => void log.push(`open ${state.name}`),
    message: ({ state }, data) => void log.push(`message ${state.name} ${String(data)}`),
    close: ({ state }, { code }) => void log.push(`close ${state.name} ${code}`),
    error: (error, { hook, connection }) => void log.push(`error ${hook} ${connection?.state.name} ${String(error)}`),
    ...hooks,
    wake(connection) {
      log.push(`wake ${connection.state.name}`);
      return hooks.wake?.(connection);
    },
  });
  return { log, handler };
}

const address = (name: string): string => `ws://localhost/${name}`;

test("once after each hibernation, for every open connection, and never for a new one", async () => {
  const { log, handler } = logged();
  const server = memory(handler);
  const ada = await server.connect(address("ada"));
  const bob = await server.connect(address("bob"));
  ada.send("1");
  await settle();
  expect(log.splice(0)).toEqual(["open ada", "open bob", "message ada 1"]);
  await server.hibernate();
  bob.send("2");
  ada.send("3");
  ada.send("4");
  await settle();
  expect(log.splice(0)).toEqual(["wake ada", "wake bob", "message bob 2", "message ada 3", "message ada 4"]);
  await server.connect(address("eve"));
  await server.hibernate();
  await server.hibernate();
  void bob.close(4000);
  await settle();
  expect(log).toEqual(["open eve", "wake ada", "wake bob", "wake eve", "wake ada", "wake bob", "wake eve", "close bob 4000"]);
});

test("events wait for its promise, each connection's for its own", async () => {
  const held = Promise.withResolvers<void>();
  const { log, handler } = logged({ wake: ({ state }) => (state.name === "ada" ? held.promise : undefined) });
  const server = memory(handler);
  const [ada, bob] = [await server.connect(address("ada")), await server.connect(address("bob"))];
  await server.hibernate();
  log.length = 0;
  ada.send("1");
  bob.send("2");
  void ada.close(4000);
  await settle();
  expect(log).toEqual(["message bob 2"]);
  held.resolve();
  await settle();
  expect(log).toEqual(["message bob 2", "message ada 1", "close ada 4000"]);
});

test("hibernate() waits for a pending one", async () => {
  const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let count = 0;
  const { log, handler } = logged({ wake: () => held[count++]?.promise });
  const server = memory(handler);
  await server.connect(address("ada"));
  await server.hibernate();
  const again = server.hibernate();
  await settle();
  expect(log).toEqual(["open ada", "wake ada"]);
  held[0]?.resolve();
  await again;
  expect(log).toEqual(["open ada", "wake ada", "wake ada"]);
  held[1]?.resolve();
});

test.for(["throws", "rejects"])("one that %s closes its connection with 1011, and no other", async (how) => {
  const { log, handler } = logged({
    wake({ state }) {
      if (state.name !== "ada") return;
      if (how === "throws") throw new Error("broken");
      return Promise.reject(new Error("broken"));
    },
  });
  const server = memory(handler);
  const [ada, bob] = [await server.connect(address("ada")), await server.connect(address("bob"))];
  await server.hibernate();
  bob.send("heard");
  expect(await ada.closed).toEqual({ code: 1011, reason: "Internal error" });
  await settle();
  expect(log.filter((line) => line.includes("ada"))).toEqual(["open ada", "wake ada", "error wake ada Error: broken", "close ada 1011"]);
  expect(log).toContain("message bob heard");
});

test("one may send, publish, store, and close any connection, also those whose turn is to come", async () => {
  const { log, handler } = logged({
    open: (connection) => connection.subscribe("all"),
    wake(connection) {
      connection.setState({ name: `${connection.state.name}!` });
      connection.publish("all", `${connection.state.name} is back`);
      for (const peer of connection.peers()) if (peer.state.name === "bob") peer.close(4000);
    },
  });
  const server = memory(handler);
  const clients = await Promise.all(["ada", "bob", "eve"].map((name) => server.connect(address(name))));
  await server.hibernate();
  expect(await clients[1]?.closed).toEqual({ code: 4000, reason: "" });
  expect([await clients[0]?.next(), await clients[2]?.next()]).toEqual(["eve! is back", "ada! is back"]);
  clients[0]?.send("1");
  await settle();
  expect(log).toEqual(["wake ada", "wake eve", "close bob 4000", "message ada! 1"]);
});

test("a connection that was closing gets only its close hook", async () => {
  const { log, handler } = logged({ message: (connection) => connection.close(4000) });
  const server = memory(handler);
  const client = await server.connect(address("ada"));
  client.pause();
  client.send("close me");
  await settle();
  await server.hibernate();
  client.resume();
  await client.closed;
  await settle();
  expect(log).toEqual(["open ada", "close ada 4000"]);
});

test("a handler without the hook wakes without a mailbox for anyone", async () => {
  let queued: unknown;
  const server = memory(
    defineHandler({
      message(connection) {
        queued = [...connection.peers()].map((peer) => (peer as unknown as { mailbox: unknown }).mailbox !== undefined);
      },
    }),
  );
  const clients = await Promise.all([1, 2, 3].map(() => server.connect()));
  await server.hibernate();
  clients[1]?.send("x");
  await settle();
  expect(queued).toEqual([false, true, false]);
});

test("messageHandler passes it on; what is no function is refused", async () => {
  const wake = vi.fn();
  const server = memory(defineHandler(messageHandler(defineMessages({}), { wake })));
  await server.connect();
  await server.hibernate();
  expect(wake).toHaveBeenCalledTimes(1);
  expect(() => defineHandler({ wake: true as never })).toThrow('hook "wake" must be a function, not boolean [EW107]');
});
