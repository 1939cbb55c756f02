/** The chat's handler in memory: what travels, and who is online through hibernation. The page is tested in test/e2e. */
import { memory } from "edgewire/memory";
import type { MemoryClient } from "edgewire/memory";
import { describe, expect, test } from "vitest";
import { chat } from "../../examples/chat/chat.ts";
import { mediaType } from "../../examples/chat/messages.ts";

const png = "iVBORw0KGgoBAgM=";
const join = (name: string, room = "lobby"): string => `ws://localhost/?${String(new URLSearchParams({ name, room }))}`;
const ask = (id: number, name: string, payload: unknown): string => JSON.stringify({ type: "request", id, name, payload });
const say = (text: string, id = 1): string => ask(id, "say", { text });

/** A frame, its payload's fields beside its own. */
interface Heard {
  readonly type: string;
  readonly name?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly message?: string;
}

async function next(client: MemoryClient): Promise<Heard> {
  return JSON.parse((await client.next()) as string) as Heard;
}

/** Connects and passes over the welcome; the others have a `join` to read. */
async function enter(
  server: ReturnType<typeof memory>,
  name: string,
  room?: string,
): Promise<{ client: MemoryClient; id: string; online: readonly string[] }> {
  const client = await server.connect(join(name, room));
  const welcome = await next(client);
  expect(welcome).toMatchObject({ type: "message", name: "welcome" });
  const { you, people } = welcome.payload as { you: string; people: { name: string }[] };
  return { client, id: you, online: people.map((person) => person.name).toSorted() };
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
    expect(await next(ada.client)).toEqual({ type: "message", name: "joined", payload: { who: { id: grace.id, name: "Grace" } } });
    ada.client.send(say("hello"));
    expect(await next(grace.client)).toEqual({
      type: "message",
      name: "said",
      payload: { from: { id: ada.id, name: "Ada" }, text: "hello", at: expect.any(Number), position: expect.any(String) },
    });
    await grace.client.close();
    expect(await next(ada.client)).toEqual({ type: "result", id: 1, payload: { position: expect.any(String) } });
    expect(await next(ada.client)).toEqual({ type: "message", name: "left", payload: { who: { id: grace.id, name: "Grace" } } });
    await server.room("elsewhere").broadcast("first for Alan");
    expect(await elsewhere.client.next()).toBe("first for Alan");
  });

  test("those who come later get what was said, and those who come back what they have missed", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    ada.client.send(say("one"));
    ada.client.send(say("two"));
    const [first, second] = [await next(ada.client), await next(ada.client)];
    const said = (text: string): object => ({ from: { id: ada.id, name: "Ada" }, text });
    const grace = await enter(server, "Grace");
    expect((await next(grace.client)).payload).toMatchObject(said("one"));
    expect((await next(grace.client)).payload).toMatchObject({ ...said("two"), ...second.payload });
    const back = await server.connect(`${join("Alan")}&after=${String(first.payload?.["position"])}`);
    expect(await next(back)).toMatchObject({ name: "welcome" });
    expect((await next(back)).payload).toMatchObject(said("two"));
  });

  test("each message is answered, in order", async () => {
    const { client } = await enter(memory(chat), "Ada");
    const asked = [
      say("one"),
      "no JSON",
      say(" "),
      say("x".repeat(2001)),
      say("👩".repeat(2000)),
      ask(1, "show", { data: png }),
      ask(1, "show", { data: "AAEC" }),
      ask(1, "show", { data: "no base64!" }),
    ];
    for (const data of asked) client.send(data);
    const answers: Heard[] = [];
    while (answers.length < asked.length) answers.push(await next(client));
    expect(answers.map(({ type, code }) => code ?? type)).toEqual([
      "result",
      "bad-frame",
      "refused",
      "refused",
      "result",
      "result",
      "refused",
      "invalid-payload",
    ]);
    expect(answers[6]?.message).toBe("This is not a PNG, JPEG, GIF or WebP image.");
  });

  test("an image reaches the others with its sender and media type", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    ada.client.send(ask(1, "show", { data: png }));
    expect(await next(grace.client)).toEqual({
      type: "message",
      name: "showed",
      payload: { from: { id: ada.id, name: "Ada" }, media: "image/png", data: png },
    });
  });

  test("hibernation forgets nobody", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    await enter(server, "Ada");
    await next(ada.client);
    await server.hibernate();
    const grace = await enter(server, "Grace");
    expect(grace.online).toEqual(["Ada", "Ada", "Grace"]);
    expect(await next(ada.client)).toMatchObject({ name: "joined", payload: { who: { name: "Grace" } } });
    await server.hibernate();
    ada.client.send(say("still here"));
    expect(await next(grace.client)).toMatchObject({ name: "said", payload: { from: { id: ada.id, name: "Ada" } } });
  });
});

test("media types are told by the bytes", () => {
  const data = (start: string): string => btoa(`${start}\0\0\0\0`);
  expect(mediaType(png)).toBe("image/png");
  expect(mediaType(data("\xff\xd8\xff"))).toBe("image/jpeg");
  expect(mediaType(data("GIF89a"))).toBe("image/gif");
  expect(mediaType(data("RIFF\u0001\u0002\u0003\u0004WEBPVP8 "))).toBe("image/webp");
  expect(mediaType(data("<svg></svg>"))).toBeUndefined();
  expect(mediaType("iVBO")).toBeUndefined();
});
