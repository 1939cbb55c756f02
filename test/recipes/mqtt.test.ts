/** docs/recipes/mqtt.md: MQTT.js over evictions, cuts and restarts. */
import { rmSync } from "node:fs";
import { memory } from "edgewire/memory";
import type { IClientOptions, MqttClient } from "mqtt";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { start, startWorker, type Runtime } from "../docs/run.ts";
import { writeRecipe } from "./page.ts";

const file = writeRecipe("mqtt");
let connect: (url: string, options: IClientOptions) => Promise<MqttClient>;
let broker: Parameters<typeof memory>[0];
beforeAll(async () => {
  ({ connect } = (await import(file("mqtt-client.ts"))) as { connect: typeof connect });
  ({ broker } = (await import(file("mqtt.ts"))) as { broker: typeof broker });
});

/** Where the broker is, and what can be done to it. */
interface Place {
  readonly url: string;
  evict(): Promise<void>;
}

interface Device {
  readonly client: MqttClient;
  /** `topic: text`, with a `*` for what was retained and a `1` for QoS 1. */
  readonly heard: string[];
}

async function device({ url }: Place, more: IClientOptions = {}): Promise<Device> {
  const client = await connect(url, { keepalive: 0, reconnectPeriod: 10, ...more });
  onTestFinished(() => void client.end(true));
  const heard: string[] = [];
  client.on("message", (topic, payload, { qos, retain }) => {
    heard.push(`${topic}: ${String(payload)}${retain ? "*" : ""}${qos === 1 ? "1" : ""}`);
  });
  client.on("error", () => {});
  return { client, heard };
}

async function home(place: Place): Promise<void> {
  const [lamp, phone] = [
    await device(place, { clientId: "lamp", will: { topic: "lamp/state", payload: Buffer.from("gone"), qos: 1, retain: true } }),
    await device(place),
  ];
  await lamp.client.subscribeAsync("lamp/set", { qos: 1 });
  await phone.client.subscribeAsync({ "lamp/+": { qos: 1 }, "$other/#": { qos: 0 }, "#": { qos: 0 } });
  await place.evict();
  await phone.client.publishAsync("lamp/set", "on", { qos: 1 });
  await expect.poll(() => lamp.heard).toEqual(["lamp/set: on1"]);
  await place.evict();
  await lamp.client.publishAsync("lamp/state", "on", { qos: 1, retain: true });
  await phone.client.publishAsync("lamp/set", "dim");
  await expect.poll(() => lamp.heard.slice(1)).toEqual(["lamp/set: dim"]);
  await expect.poll(() => phone.heard).toEqual(["lamp/set: on1", "lamp/state: on1", "lamp/set: dim"]);

  await place.evict();
  const late = await device(place);
  await late.client.subscribeAsync("lamp/#", { qos: 0 });
  await expect.poll(() => late.heard).toEqual(["lamp/state: on*"]);
  await late.client.unsubscribeAsync("lamp/#");

  // It is cut off, comes back as itself, and subscribes again: the old connection ends by that, and its will is told.
  await place.evict();
  await phone.client.publishAsync("lamp/state", "", { qos: 1, retain: true });
  const back = new Promise<void>((resolve) => lamp.client.once("connect", () => resolve()));
  (lamp.client.stream as unknown as { destroy(): void }).destroy();
  await back;
  await expect.poll(() => phone.heard.slice(3)).toEqual(["lamp/state: 1", "lamp/state: gone1"]);
  await place.evict();
  await expect.poll(() => phone.client.publishAsync("lamp/set", "off", { qos: 1 }).then(() => lamp.heard.at(-1))).toBe("lamp/set: off1");
  // DISCONNECT: no will.
  await place.evict();
  await lamp.client.endAsync();
  await late.client.publishAsync("last", "x", { qos: 1 });
  await expect.poll(() => phone.heard.at(-1)).toBe("last: x");
  expect(phone.heard.filter((text) => text.includes("gone"))).toHaveLength(1);
  expect(late.heard).toHaveLength(1);
  await Promise.all([phone, late].map(({ client }) => client.endAsync()));
}

/** What is kept: nobody who has it is there. */
async function comeLate(place: Place): Promise<void> {
  const { client, heard } = await device(place);
  await client.subscribeAsync("lamp/state");
  await expect.poll(() => heard).toEqual(["lamp/state: gone*"]);
}

async function refusals(place: Place): Promise<void> {
  const wrong: [IClientOptions, string][] = [
    [{ password: "open barley" }, "Not authorized"],
    [{ protocolVersion: 5 }, "Unacceptable protocol version"],
  ];
  for (const [options, why] of wrong) await expect(connect(place.url, { ...options, reconnectPeriod: 0 })).rejects.toThrow(why);
}

const quiet = async (): Promise<void> => {};

test.each<Runtime>(["node", "bun", "deno"])("on %s, kept in a file when the process is killed", async (runtime) => {
  rmSync(file("broker.db"), { force: true });
  const place = (port: number): Place => ({ url: `ws://127.0.0.1:${port}/home`, evict: quiet });
  {
    await using server = await start(runtime, file("mqtt-server.ts"));
    await home(place(server.port));
    await refusals(place(server.port));
  }
  await using server = await start(runtime, file("mqtt-server.ts"));
  await comeLate(place(server.port));
});

test("on a Durable Object, which is evicted in between", async () => {
  await using worker = await startWorker(file("mqtt-worker.ts"), { BROKER: "Broker" }, { flags: ["nodejs_compat"] });
  const evict = (): Promise<void> => worker.evict("Broker", "home");
  const place = { url: `ws://127.0.0.1:${worker.port}/home`, evict };
  await home(place);
  await evict();
  await comeLate(place);
});

test("in memory: packets in pieces, none at all, too long a one, and one from outside", async () => {
  using log = vi.spyOn(console, "error").mockImplementation(() => {});
  const server = memory(broker);
  onTestFinished(() => server.close());
  const join = (): ReturnType<typeof server.connect> => server.connect("ws://localhost/home", { protocols: ["mqtt"] });
  const { generate } = await import("mqtt-packet");
  const hello = generate({ cmd: "connect", clientId: "raw", clean: true, username: "ada", password: Buffer.from("open sesame") });
  const raw = await join();
  for (const byte of Buffer.concat([hello, generate({ cmd: "pingreq" })])) raw.send(Uint8Array.of(byte));
  expect([await raw.next(), await raw.next()]).toEqual([Uint8Array.of(0x20, 2, 0, 0), Uint8Array.of(0xd0, 0)]);
  raw.send(
    generate({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [
        { topic: "lamp/+", qos: 1 },
        { topic: "a#", qos: 0 },
      ],
    }),
  );
  expect(await raw.next()).toEqual(Uint8Array.of(0x90, 4, 0, 1, 1, 128));
  await (server.room("home") as { call(...args: unknown[]): Promise<unknown> }).call("publish", "lamp/set", "on");
  const published = generate({ cmd: "publish", topic: "lamp/set", payload: "on", qos: 0, dup: false, retain: false });
  expect(await raw.next()).toEqual(new Uint8Array(published));
  const long = generate({ cmd: "publish", topic: "t", payload: Buffer.alloc(300_000), qos: 0, dup: false, retain: false });
  raw.send(long.subarray(0, 280_000));
  expect((await raw.closed).code).toBe(1009);
  for (const [sent, code] of [
    [Uint8Array.of(0xf1, 0xff), 1011],
    ["text", 1011],
    [generate({ cmd: "pingreq" }), 1002],
  ] as const) {
    const other = await join();
    other.send(sent);
    expect((await other.closed).code).toBe(code);
  }
  expect(log).toHaveBeenCalledTimes(2);
});
