/** docs/recipes/trpc.md: tRPC's own client, over cuts and evictions. */
import type { createWSClient } from "@trpc/client";
import { memory } from "edgewire/memory";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { start, startWorker, type Runtime } from "../docs/run.ts";
import { writeRecipe } from "./page.ts";

const file = writeRecipe("trpc");

/** As in the page, whose types are not known here. */
interface Joined {
  readonly client: ReturnType<typeof createWSClient>;
  readonly trpc: {
    readonly here: { query(): Promise<number> };
    readonly say: { mutate(text: unknown): Promise<void> };
    readonly said: { subscribe(input: undefined, events: Events): { unsubscribe(): void } };
  };
}

interface Events {
  onData(event: { readonly id: string; readonly data: string }): void;
  onStarted(): void;
  onComplete(): void;
  onError(error: Error): void;
}

let join: (url: string, name: string, socket: unknown) => Joined;
let trpc: Parameters<typeof memory>[0];
beforeAll(async () => {
  ({ join } = (await import(file("trpc-client.ts"))) as { join: typeof join });
  ({ trpc } = (await import(file("trpc.ts"))) as { trpc: typeof trpc });
});

/** Where the room is, and what can be done to it. */
interface Place {
  readonly url: string;
  readonly WebSocket: unknown;
  evict(): Promise<void>;
}

interface Person extends Joined {
  readonly heard: string[];
  /** Of a subscription: "started", "complete", errors. */
  readonly events: string[];
  listen(): () => void;
  cut(): void;
}

function enter({ url, WebSocket: socket }: Place, name: string): Person {
  const joined = join(url, name, socket);
  onTestFinished(() => void joined.client.close());
  const heard: string[] = [];
  const events: string[] = [];
  const listen = (): (() => void) => {
    const subscription = joined.trpc.said.subscribe(undefined, {
      onData: ({ data }) => heard.push(data),
      onStarted: () => events.push("started"),
      onComplete: () => events.push("complete"),
      onError: ({ message }) => events.push(message),
    });
    return () => subscription.unsubscribe();
  };
  const cut = (): void => (joined.client.connection?.ws as WebSocket | undefined)?.terminate();
  return { ...joined, heard, events, listen, cut };
}

async function converse(place: Place): Promise<void> {
  const [ada, bob] = [enter(place, "Ada"), enter(place, "Bob")];
  const leave = ada.listen();
  await expect.poll(() => ada.events).toEqual(["started"]);
  await expect.poll(() => bob.trpc.here.query()).toBe(2);
  await place.evict();
  // Nothing has been sent to Ada yet.
  await bob.trpc.say.mutate("one");
  await expect.poll(() => ada.heard).toEqual(["Bob: one"]);
  await place.evict();
  await bob.trpc.say.mutate("two");
  await ada.trpc.say.mutate("three");
  await expect.poll(() => ada.heard).toEqual(["Bob: one", "Bob: two", "Ada: three"]);
  expect(ada.events).toEqual(["started"]);

  await expect(bob.trpc.say.mutate(4)).rejects.toThrow("A text of at most 1000 letters is wanted.");
  bob.listen();
  await expect.poll(() => bob.heard).toEqual(ada.heard);

  ada.cut();
  await place.evict();
  await bob.trpc.say.mutate("four");
  await expect.poll(() => ada.heard.slice(3)).toEqual(["Bob: four"]);
  await expect.poll(() => ada.trpc.here.query()).toBe(2);

  await place.evict();
  leave();
  await ada.trpc.say.mutate("five");
  await expect.poll(() => bob.heard.slice(4)).toEqual(["Ada: five"]);
  await place.evict();
  await ada.trpc.say.mutate("six");
  await expect.poll(() => bob.heard.slice(5)).toEqual(["Ada: six"]);
  expect(ada.heard).toHaveLength(4);
  expect(ada.events.at(-1)).toBe("complete");
  for (const { client } of [ada, bob]) await client.close();
}

test.each<Runtime>(["node", "bun", "deno"])("on %s", async (runtime) => {
  await using server = await start(runtime, file("trpc-server.ts"));
  await converse({ url: `ws://127.0.0.1:${server.port}/lobby`, WebSocket, evict: async () => {} });
});

test("on a Durable Object, which is evicted in between", async () => {
  await using worker = await startWorker(file("trpc-worker.ts"), { ROOM: "ChatRoom" }, { flags: ["nodejs_compat"] });
  let evictions = 0;
  const evict = async (): Promise<void> => {
    await worker.evict("ChatRoom", "lobby");
    evictions++;
  };
  await converse({ url: `ws://127.0.0.1:${worker.port}/lobby`, WebSocket, evict });
  expect(evictions).toBe(5);
});

test("in memory, hibernating in between; what is no message is answered", async () => {
  const server = memory(trpc);
  onTestFinished(() => server.close());
  await converse({ url: "ws://localhost/lobby", WebSocket: server.WebSocket, evict: () => server.hibernate() });
  const odd = await server.connect("ws://localhost/lobby");
  for (const text of ['{"method":"subscription', '{"method":"subscription","id":1}', "[]", "null", '"text"']) {
    odd.send(text);
    if (text !== "[]") expect(JSON.parse(String(await odd.next()))).toMatchObject({ error: { data: { code: "PARSE_ERROR" } } });
  }
  await server.hibernate();
  odd.send("{");
  expect(String(await odd.next())).toContain("PARSE_ERROR");
});
