/** The chat's handler in memory: what travels, and who is online through hibernation. The page is tested in test/e2e. */
import { memory } from "edgewire/memory";
import type { MemoryClient } from "edgewire/memory";
import { describe, expect, test } from "vitest";
import { chat } from "../../examples/chat/chat.ts";
import { mediaType, messages } from "../../examples/chat/messages.ts";

const png = "iVBORw0KGgoBAgM=";
const join = (name: string, room = "lobby"): string => `ws://localhost/?${String(new URLSearchParams({ name, room }))}`;
const ask = (id: number, name: string, payload: unknown): string => JSON.stringify({ type: "request", id, name, payload });
const say = (text: string, id = 1): string => ask(id, "say", { text });

/** A frame, its payload's fields beside its own. */
interface Heard {
  readonly type: string;
  /** Of presence. */
  readonly members?: readonly Member[];
  readonly joined?: readonly Member[];
  readonly position?: string;
  readonly name?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly message?: string;
}

async function next(client: MemoryClient): Promise<Heard> {
  return JSON.parse((await client.next()) as string) as Heard;
}

interface Member {
  readonly id: string;
  readonly state: { readonly name: string };
}

interface Entered {
  readonly client: MemoryClient;
  /** The person's id, which is not the connection's. */
  readonly id: string;
  readonly old: readonly Heard[];
  readonly online: readonly string[];
}

/** Connects, and reads what a newcomer gets: who they are, what was said, and who is there. */
async function enter(
  server: ReturnType<typeof memory>,
  name: string,
  more: Readonly<Record<string, string>> = {},
  protocols: readonly string[] = [],
): Promise<Entered> {
  const client = await server.connect(`${join(name, more["room"])}&${String(new URLSearchParams(more))}`, { protocols });
  const welcome = await next(client);
  expect(welcome).toMatchObject({ type: "message", name: "welcome", payload: { you: { id: expect.any(String) } } });
  const { id } = (welcome.payload ?? {})["you"] as { id: string };
  const old: Heard[] = [];
  for (;;) {
    const heard = await next(client);
    if (heard.type === "message") old.push(heard);
    if (heard.members === undefined) continue;
    return { client, id, old, online: heard.members.map(({ state }) => state.name).toSorted() };
  }
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

  test("everyone in the room gets a message, its author too, and nobody outside it", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    const elsewhere = await enter(server, "Alan", { room: "elsewhere" });
    const member = { id: grace.id, state: { name: "Grace" }, connections: 1 };
    expect(await next(ada.client)).toEqual({ type: "presence", topic: "people", joined: [member] });
    ada.client.send(ask(1, "say", { line: "l1", text: "hello" }));
    const said = {
      type: "message",
      name: "said",
      payload: { line: "l1", from: { id: ada.id, name: "Ada" }, text: "hello" },
      topic: "chat",
      position: expect.any(String),
      time: expect.any(Number),
    };
    expect(await next(grace.client)).toEqual(said);
    // Before its answer: what is answered has its place already.
    expect([await next(ada.client), await next(ada.client)]).toEqual([said, { type: "result", id: 1 }]);
    await grace.client.close();
    expect(await next(ada.client)).toEqual({ type: "presence", topic: "people", left: [grace.id] });
    await server.room("elsewhere").broadcast("first for Alan");
    expect(await elsewhere.client.next()).toBe("first for Alan");
  });

  test("those who come later get the last 200, and those who come back what they have missed", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const said: Heard[] = [];
    for (let id = 1; id <= 205; id++) {
      ada.client.send(say(`message ${id}`, id));
      said.push(await next(ada.client));
      expect(await next(ada.client)).toEqual({ type: "result", id });
    }
    const grace = await enter(server, "Grace");
    expect(grace.old).toEqual(said.slice(5));
    expect(grace.old[0]?.payload?.["text"]).toBe("message 6");
    // As messageClient offers it: docs/PROTOCOL.md.
    const back = await enter(server, "Alan", {}, [...messages.protocols, `edgewire.positions.1~chat~${said[202]?.position}`]);
    expect(back.old).toEqual(said.slice(203));
  });

  test("the tabs of a browser are one person, whom nobody else can be", async () => {
    const server = memory(chat);
    const first = await enter(server, "Ada", { key: "secret" });
    const second = await enter(server, "Ada", { key: "secret" });
    const other = await enter(server, "Ada", { key: first.id });
    const renamed = await enter(server, "Grace", { key: "secret" });
    expect(second).toMatchObject({ id: first.id, online: ["Ada"] });
    expect(other.online).toEqual(["Ada", "Ada"]);
    expect(renamed.online).toEqual(["Ada", "Ada", "Grace"]);
    expect(new Set([first.id, other.id, renamed.id, "secret"]).size).toBe(4);
    // A second tab is no second person.
    expect(await next(first.client)).toMatchObject({ updated: [{ id: first.id, connections: 2 }] });
    for (const { id } of [other, renamed]) expect(await next(first.client)).toMatchObject({ joined: [{ id }] });
    await first.client.close();
    await second.client.close();
    expect(await next(other.client)).toMatchObject({ joined: [{ id: renamed.id }] });
    for (const { client } of [other, renamed]) {
      expect(await next(client)).toMatchObject({ updated: [{ id: first.id, connections: 1 }] });
      // Once, when the last tab is closed.
      expect(await next(client)).toMatchObject({ left: [first.id] });
    }
    renamed.client.send(say("still here"));
    for (const { client } of [other, renamed]) expect(await next(client)).toMatchObject({ name: "said" });
  });

  test("who is typing is told to the others", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    ada.client.send(JSON.stringify({ type: "message", name: "typing" }));
    ada.client.send(say("done"));
    expect(await next(grace.client)).toEqual({ type: "message", name: "typing", payload: { who: { id: ada.id, name: "Ada" } } });
    expect(await next(grace.client)).toMatchObject({ name: "said" });
    expect([await next(ada.client), await next(ada.client)]).toMatchObject([{ joined: [{ id: grace.id }] }, { name: "said" }]);
  });

  test("each message is answered, in order", async () => {
    const { client } = await enter(memory(chat), "Ada");
    const asked = [
      say("one"),
      "no JSON",
      say(" "),
      say("x".repeat(2001)),
      ask(2, "say", { line: "x".repeat(65), text: "a line's name is too long" }),
      say("👩".repeat(2000)),
      ask(1, "show", { data: png }),
      ask(1, "show", { data: "AAEC" }),
      ask(1, "show", { data: "no base64!" }),
    ];
    for (const data of asked) client.send(data);
    const answers: Heard[] = [];
    while (answers.length < asked.length) {
      const heard = await next(client);
      if (heard.type !== "message") answers.push(heard);
    }
    expect(answers.map(({ type, code }) => code ?? type)).toEqual([
      "result",
      "bad-frame",
      "refused",
      "refused",
      "invalid-payload",
      "result",
      "result",
      "refused",
      "invalid-payload",
    ]);
    expect(answers[7]?.message).toBe("This is not a PNG, JPEG, GIF or WebP image.");
  });

  test("an image reaches the others with its sender and media type, and its sender learns its place", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    const grace = await enter(server, "Grace");
    expect(await next(ada.client)).toMatchObject({ joined: [{}] });
    grace.client.send(say("before"));
    ada.client.send(ask(1, "show", { line: "l1", data: png }));
    expect(await next(grace.client)).toMatchObject({ name: "said" });
    expect(await next(grace.client)).toMatchObject({ type: "result" });
    expect(await next(grace.client)).toEqual({
      type: "message",
      name: "showed",
      payload: { line: "l1", from: { id: ada.id, name: "Ada" }, media: "image/png", data: png },
    });
    expect([await next(ada.client), await next(ada.client)]).toMatchObject([
      { name: "said" },
      { type: "message", name: "shown", payload: { line: "l1" } },
    ]);
  });

  test("hibernation forgets nobody, and nothing that was said", async () => {
    const server = memory(chat);
    const ada = await enter(server, "Ada");
    await enter(server, "Ada");
    expect(await next(ada.client)).toMatchObject({ joined: [{}] });
    ada.client.send(say("before"));
    expect(await next(ada.client)).toMatchObject({ name: "said" });
    expect(await next(ada.client)).toMatchObject({ type: "result" });
    await server.hibernate();
    const grace = await enter(server, "Grace");
    expect(grace).toMatchObject({ online: ["Ada", "Ada", "Grace"], old: [{ payload: { text: "before" } }] });
    expect(await next(ada.client)).toMatchObject({ joined: [{ state: { name: "Grace" } }] });
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
