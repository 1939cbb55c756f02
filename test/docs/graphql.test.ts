/** docs/recipes/graphql.md: graphql-ws's own client over the handler on Node, Bun and Deno, and over a Durable Object that is evicted between its messages. */
import { join } from "node:path";
import { createClient, type Client } from "graphql-ws";
import { beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readPage, writePage } from "./pages.ts";
import { start, startWorker, type Runtime } from "./run.ts";

const page = readPage("docs/recipes/graphql.md");
beforeAll(() => writePage(page));

interface Person {
  readonly client: Client;
  /** How often it connected, and the codes of its closes. */
  readonly connected: number[];
  readonly heard: string[];
  ask(query: string): Promise<unknown>;
  /** Returns a function that unsubscribes. */
  subscribe(): () => void;
  failures: unknown[];
}

function connect(port: number, password = "open sesame"): Person {
  const connected: number[] = [];
  const heard: string[] = [];
  const failures: unknown[] = [];
  const client = createClient({
    url: `ws://127.0.0.1:${port}/?room=lobby`,
    webSocketImpl: WebSocket,
    connectionParams: { password },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: (error) => failures.push(error),
    on: { connected: () => void connected.push(1), closed: (event) => void connected.push((event as CloseEvent).code) },
  });
  return {
    client,
    connected,
    heard,
    failures,
    ask: (query) =>
      new Promise((resolve, reject) => {
        let result: unknown;
        client.subscribe({ query }, { next: ({ data }) => (result = data), error: reject, complete: () => resolve(result) });
      }),
    subscribe: () =>
      client.subscribe<{ said: string }>(
        { query: "subscription { said }" },
        { next: ({ data }) => heard.push(data?.said ?? "?"), error: (error) => failures.push(error), complete: () => {} },
      ),
  };
}

/** Its messages before this one have been handled. */
const settled = ({ ask }: Person): Promise<void> => expect(ask("{ ok }")).resolves.toEqual({ ok: true });
const say = ({ ask }: Person, text: string): Promise<unknown> => ask(`mutation { say(text: "${text}") }`);

/** @param evict between any two messages. */
async function converse(port: number, evict: () => Promise<void>): Promise<void> {
  const [ada, bob, eve] = [connect(port), connect(port), connect(port)];
  const leave = ada.subscribe();
  ada.subscribe();
  eve.subscribe();
  for (const person of [ada, bob, eve]) await settled(person);
  await evict();
  expect(await say(bob, "one")).toEqual({ say: 3 });
  await evict();
  // It was acknowledged before the evictions.
  await settled(ada);
  expect(await say(ada, "two")).toEqual({ say: 3 });
  leave();
  await settled(ada);
  await evict();
  expect(await say(bob, "three")).toEqual({ say: 2 });
  await evict();
  await eve.client.dispose();
  await evict();
  await expect.poll(() => say(bob, "four")).toEqual({ say: 1 });
  for (const person of [ada, bob]) await settled(person);
  expect(ada.heard.filter((text) => text !== "four")).toEqual(["one", "one", "two", "two", "three"]);
  expect(new Set(eve.heard.filter((text) => text !== "four"))).toEqual(new Set(["one", "two", "three"]));
  for (const { connected, failures } of [ada, bob]) expect([connected, failures]).toEqual([[1], []]);
  for (const { client } of [ada, bob]) await client.dispose();
}

async function refused(port: number): Promise<void> {
  const { connected } = connect(port, "open barley");
  await expect.poll(() => connected).toEqual([4403]);
}

test.each<Runtime>(["node", "bun", "deno"])("on %s", async (runtime) => {
  await using server = await start(runtime, join(page.folder, "graphql-server.ts"));
  await converse(server.port, async () => {});
  await refused(server.port);
});

test("on a Durable Object, which is evicted between any two messages", async () => {
  await using worker = await startWorker(join(page.folder, "graphql-worker.ts"), { GRAPHQL: "GraphQLRoom" });
  let evictions = 0;
  await converse(worker.port, async () => {
    await worker.evict("GraphQLRoom", "lobby");
    evictions++;
  });
  expect(evictions).toBe(5);
  await refused(worker.port);
});
