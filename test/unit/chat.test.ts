/** The chat's handler in memory: what travels, and who is online through hibernation. The page is tested in test/e2e. */
import { memory } from "edgewire/memory";
import type { MemoryClient } from "edgewire/memory";
import { describe, expect, test } from "vitest";
import { chat } from "../../examples/chat/chat.ts";
import { backoff } from "../../examples/chat/client/backoff.ts";
import { mediaType } from "../../examples/chat/messages.ts";
import type { FromServer } from "../../examples/chat/messages.ts";

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
const join = (name: string, room = "lobby"): string => `ws://localhost/?${String(new URLSearchParams({ name, room }))}`;
const text = (words: string): string => JSON.stringify({ type: "message", text: words });

async function next(client: MemoryClient): Promise<FromServer> {
  return JSON.parse((await client.next()) as string) as FromServer;
}

/** Connects and passes over the welcome; the others have a `join` to read. */
async function enter(
  server: ReturnType<typeof memory>,
  name: string,
  room?: string,
): Promise<{ client: MemoryClient; id: string; online: readonly string[] }> {
  const client = await server.connect(join(name, room));
  const welcome = await next(client);
  if (welcome.type !== "welcome") throw new Error(`first came ${welcome.type}`);
  return { client, id: welcome.you, online: welcome.people.map((person) => person.name).toSorted() };
}

describe("chat handler", () => {
  test("names and rooms are tidied, or refused with a reason", async () => {
    const server = memory(chat);
    expect((await enter(server, "  Ada   Lovelace ")).online).toEqual(["Ada Lovelace"]);
    for (const [url, reason] of [
      [join(" "), "Choose a name."],
      [join("Ada", ""), "Choose a room."],
      [join("é".repeat(33)), "This name is too long: 33 characters, and 32 is the most."],
      [join("a\u0000b"), "This name has characters that can't be shown."],
    ] as const) {
      const refused = await server.connect(url).catch((error: { response: Response }) => error.response);
      if (!(refused instanceof Response)) throw new Error(`${url} was not refused`);
      expect([refused.status, await refused.text()]).toEqual([400, reason]);
    }
    await expect(server.connect(join("👩‍🚀".repeat(10))).then((client) => client.close())).resolves.toMatchObject({ code: 1005 });
  });

  test("everyone else in the room gets a message, nobody outside it", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    const elsewhere = await enter(server, "Alan", "elsewhere");
    expect(await next(ada.client)).toEqual({ type: "join", who: { id: grace.id, name: "Grace" } });
    ada.client.send(text("hello"));
    expect(await next(grace.client)).toEqual({ type: "message", from: { id: ada.id, name: "Ada" }, text: "hello" });
    await grace.client.close();
    expect(await next(ada.client)).toEqual({ type: "sent" });
    expect(await next(ada.client)).toEqual({ type: "leave", who: { id: grace.id, name: "Grace" } });
    await server.room("elsewhere").broadcast("first for Alan");
    expect(await elsewhere.client.next()).toBe("first for Alan");
  });

  test("each message is answered, in order", async () => {
    const { client } = await enter(memory(chat), "Ada");
    for (const data of [
      text("one"),
      "no JSON",
      "null",
      text(" "),
      text("x".repeat(2001)),
      text("👩".repeat(2000)),
      png,
      new Uint8Array([1, 2]),
    ])
      client.send(data);
    const answers: FromServer[] = [];
    while (answers.length < 8) answers.push(await next(client));
    expect(answers.map(({ type }) => type)).toEqual(["sent", "refused", "refused", "refused", "refused", "sent", "sent", "refused"]);
    expect(answers.at(-1)).toEqual({ type: "refused", reason: "This is not a PNG, JPEG, GIF or WebP image." });
  });

  test("an image is named, then follows as it came", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    ada.client.send(png);
    expect(await next(grace.client)).toEqual({
      type: "image",
      from: { id: ada.id, name: "Ada" },
      media: "image/png",
      bytes: png.byteLength,
    });
    expect(await grace.client.next()).toEqual(png);
  });

  test("hibernation forgets nobody", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    await enter(server, "Ada");
    await next(ada.client);
    await server.hibernate();
    const grace = await enter(server, "Grace");
    expect(grace.online).toEqual(["Ada", "Ada", "Grace"]);
    expect(await next(ada.client)).toMatchObject({ type: "join", who: { name: "Grace" } });
    await server.hibernate();
    ada.client.send(text("still here"));
    expect(await next(grace.client)).toMatchObject({ type: "message", from: { id: ada.id, name: "Ada" } });
  });
});

test("media types are told by the bytes", () => {
  const bytes = (...start: readonly number[]): Uint8Array => new Uint8Array([...start, 0, 0, 0, 0]);
  expect(mediaType(png)).toBe("image/png");
  expect(mediaType(bytes(0xff, 0xd8, 0xff))).toBe("image/jpeg");
  expect(mediaType(new TextEncoder().encode("GIF89a"))).toBe("image/gif");
  expect(mediaType(new TextEncoder().encode("RIFF\u0001\u0002\u0003\u0004WEBPVP8 "))).toBe("image/webp");
  expect(mediaType(new TextEncoder().encode("<svg></svg>"))).toBeUndefined();
  expect(mediaType(png.subarray(0, 4))).toBeUndefined();
});

test("backoff is exponential with full jitter, and capped", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoff(attempt, () => 1))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect(backoff(3, () => 0)).toBe(0);
  expect(backoff(3, () => 0.25)).toBe(2000);
});
