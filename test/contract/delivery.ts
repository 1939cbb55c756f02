import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";
import { DeliveryCore } from "../../src/delivery/client/core.ts";
import type { Outgoing } from "../../src/delivery/client/outgoing.ts";
import { formatControl } from "../../src/delivery/frames.ts";
import { needsDelivery, needsServer, needsWire, type Chapter, type Context, type Peer } from "../support/case.ts";
import { DeliveryClient, offering, type DeliveryOptions } from "../support/delivery.ts";
import { expectClose, expectTexts } from "../support/peer.ts";
import { seeded } from "../support/random.ts";
import type { Script, Step } from "../support/script.ts";
import { messageFrame } from "../wire/frames.ts";

/** A client whose messages are scripts. It reads these topics. */
const reader = (t: Context, topics: readonly string[] = [], options: DeliveryOptions = {}): Promise<DeliveryClient> =>
  DeliveryClient.open(t, { message: "run", open: topics.map((topic) => ["subscribe", topic] as const), ...options });

const publish = (topic: string | readonly string[], ...texts: readonly string[]): Script =>
  texts.map((text) => ["roomPublish", topic, text] as const);
const numbered = (name: string, count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${from + index}`);

/** The results of a step, of all that a client had run. */
const results = (t: Context, { peer }: DeliveryClient, step: Step[0]): unknown[] =>
  t.entries(peer).flatMap(({ did, result }) => (did === step ? [result] : []));
const hooks = (t: Context, { peer }: DeliveryClient): unknown[] =>
  t.entries(peer).flatMap(({ hook }) => (hook === undefined || hook === "upgrade" ? [] : [hook]));

async function idOf(t: Context, { peer }: DeliveryClient): Promise<string> {
  return String((await t.hook(peer, "open")).id);
}

/** What the connection is, by its handler. */
async function inspect(t: Context, client: DeliveryClient): Promise<unknown> {
  await client.ran([["inspect"], ["presence"]]);
  return t.entries(client.peer).findLast(({ did }) => did === "inspect");
}

/** The client's own core on the same session, for what it tells the application. */
function coreOf({ welcome }: DeliveryClient): { core: DeliveryCore; uncertain: string[]; sent: string[] } {
  const uncertain: string[] = [];
  const sent: string[] = [];
  const core = new DeliveryCore(
    {
      send: (data) => void sent.push(String(data)),
      message() {},
      gap() {},
      uncertain: ({ given }) => void uncertain.push(String(given)),
      interrupted() {},
      live() {},
    },
    10,
    1000,
  );
  core.receive(formatControl({ welcome }));
  return { core, uncertain, sent };
}

const outgoing = (text: string): Outgoing => ({ given: text, data: text, size: text.length, settle() {} });

export const deliveries: Chapter = {
  letter: "DL",
  title: "Delivery",
  cases: [
    {
      id: "DL1",
      statement:
        "The first frame on a connection with delivery is `welcome`. A client that does not offer delivery is served as before, in the same room.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        deepEqual(Object.keys(client.welcome).sort(), ["life", "maxInFlight", "resumed", "session"]);
        deepEqual([client.welcome.resumed, client.welcome.maxInFlight], [false, 64]);
        match(client.session, /^[0-9A-Za-z_-]{22,64}$/);
        const plain = await t.connect({ on: "delivering", message: "run", open: [["subscribe", "log"]] });
        equal(plain.protocol, "");
        await client.ran(publish("log", "from delivery"));
        await plain.send(JSON.stringify(publish("log", "from plain")));
        await client.expect("from delivery", "from plain");
        await expectTexts(plain, "from delivery", "from plain");
        equal(await t.outside(undefined, "delivering").count(), 2);
      },
    },
    {
      id: "DL2",
      statement:
        "A client that loses its socket, however, and comes back within `resumeTimeout` is the same connection: id, state, topics, member, URL. No hook runs for it.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log", "plain"], { upgrade: [["accept", { state: { user: "ada" } }]] });
        await client.ran([
          ["present", "ada", { color: "red" }],
          ["setState", { user: "ada", visits: 1 }],
        ]);
        const before = await inspect(t, client);
        const away: ((peer: Peer) => Promise<void>)[] = [
          (peer) => peer.lose(),
          (peer) => peer.close(1001),
          (peer) => peer.close(),
          (peer) => peer.lose(),
        ];
        for (const goes of away) {
          await goes(client.peer);
          await client.isAway();
          await client.back();
          deepEqual(await inspect(t, client), before);
        }
        deepEqual(results(t, client, "presence").at(-1), [{ id: "ada", state: { color: "red" }, connections: 1 }]);
        deepEqual(client.topics, ["log"]);
        deepEqual(hooks(t, client), ["open", ...Array(6).fill("message")]);
      },
    },
    {
      id: "DL3",
      statement:
        'While it is away it is counted, listed and present, and `send` returns "sent" until its own log is full. Then it ends with 1013 "Slow consumer".',
      limits: needsDelivery,
      async run(t) {
        const away = await reader(t, ["log"], {
          on: "frugal",
          open: [
            ["present", "ada"],
            ["subscribe", "log"],
          ],
        });
        const id = await idOf(t, away);
        const other = await reader(t, [], { on: "frugal" });
        await away.goesAway();
        await other.ran([["room", "count"], ["room", "count", "log"], ["presence"], ["room", "connections"]]);
        deepEqual(results(t, other, "room").slice(0, 2), [2, 1]);
        deepEqual(results(t, other, "presence"), [[{ id: "ada", connections: 1 }]]);
        ok((results(t, other, "room")[2] as { id: string }[]).some((one) => one.id === id));
        await other.ran(numbered("direct", 17).map((text): Step => ["room", "send", id, text]));
        deepEqual(results(t, other, "room").slice(3), [...Array(16).fill("sent"), "dropped"]);
        deepEqual(await t.closing(away.peer), { code: 1013, reason: "Slow consumer", initiator: "server" });
      },
    },
    {
      id: "DL4",
      statement:
        "It gets every message of its topics with a history once, in the order of the topic, over any number of sockets. So too what is sent to it alone.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log a", "log b"]);
        const id = await idOf(t, client);
        const other = await reader(t);
        const met: (string | Buffer)[] = [];
        const say = (text: string): Promise<void> =>
          other.ran([
            ["roomPublish", "log a", `a ${text}`],
            ["room", "send", id, `direct ${text}`],
            ["roomPublish", "log b", `b ${text}`],
          ]);
        for (let round = 1; round <= 8; round++) {
          await say(`${round}.1`);
          for (let read = 0; read < round % 4; read++) met.push(await client.message());
          if (round % 2 === 0) await client.goesAway();
          else await client.cut();
          await say(`${round}.2`);
          await client.back();
        }
        while (met.length < 48) met.push(await client.message());
        const expected = (name: string): string[] => Array.from({ length: 16 }, (_, i) => `${name} ${(i >> 1) + 1}.${(i % 2) + 1}`);
        for (const name of ["a", "b", "direct"])
          deepEqual(
            met.filter((text) => String(text).startsWith(name)),
            expected(name),
          );
        await client.ran([["send", "nothing else"]]);
        await client.expect("nothing else");
      },
    },
    {
      id: "DL5",
      statement: "On one socket, what is sent and published arrives in the order of the calls. After a return each log is in its order.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log a", "log b"]);
        const script: Script = [
          ["send", "1"],
          ["roomPublish", "log a", "2"],
          ["send", { bytes: [3, 59] }],
          ["roomPublish", "log b", "4"],
          ["send", "5", { keep: false }],
          ["roomPublish", "log a", ""],
          ["send", ";7"],
        ];
        await client.ran(script);
        await client.expect("1", "2", Buffer.from([3, 59]), "4", "5", "", ";7");
      },
    },
    {
      id: "DL6",
      statement: "Cut at any byte, in a frame, between two, in the handshake, and twice in a row: DL4 holds.",
      limits: { ...needsWire, ...needsDelivery },
      async run(t) {
        const client = await reader(t, ["log"]);
        const other = await reader(t);
        const random = seeded(6);
        const met: (string | Buffer)[] = [];
        for (let round = 0; round < 12; round++) {
          await other.ran(publish("log", `m ${round}`));
          // What is written of the next message, or of the next handshake, ends anywhere.
          const message = messageFrame(`${client.sent + 1}:${"cut".repeat(20)}`);
          if (round % 3 === 0) client.peer.wire.write(message.subarray(0, Math.ceil(random() * (message.length - 1))));
          await client.cut();
          if (round % 3 > 0) await client.cutInHandshake(random());
          if (round % 3 > 1) await client.cutInHandshake(random());
          await client.back();
          if (round % 2 === 0) met.push(await client.message());
        }
        while (met.length < 12) met.push(await client.message());
        deepEqual(
          met,
          Array.from({ length: 12 }, (_, round) => `m ${round}`),
        );
      },
    },
    {
      id: "DL7",
      statement: "A return needs no answer of the client before the first message: it follows the 101.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        const other = await reader(t);
        await client.goesAway();
        await other.ran(publish("log", ...numbered("missed", 3)));
        await client.back();
        await client.expect(...numbered("missed", 3));
        equal(client.peer.sent, 0);
      },
    },
    {
      id: "DL8",
      statement:
        "Where the first socket still seems to be open, the newer one has the connection, and the older is closed with 1008. No hook runs. The same resume works twice.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        const before = await inspect(t, client);
        const { resume } = client;
        for (let round = 0; round < 2; round++) {
          const older = client.peer;
          await client.back({ resume });
          await expectClose(older, 1008, "another connection has the session");
        }
        deepEqual(await inspect(t, client), before);
        await client.ran(publish("log", "here"));
        await client.expect("here");
        deepEqual(hooks(t, client), ["open", "message", "message", "message"]);
      },
    },
    {
      id: "DL9",
      statement:
        "Messages that are gone are reported before any later one: which topic, where it goes on, and why. Nothing that is there is reported as gone.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["last five", "log"]);
        const other = await reader(t);
        await other.ran(publish("last five", "had"));
        await client.expect("had");
        await client.goesAway();
        await other.ran([...publish("last five", ...numbered("m", 12)), ...publish("log", ...numbered("kept", 6))]);
        const { entries } = await t.outside(undefined, "delivering").history("last five");
        await client.back();
        const { from, why } = await client.gap();
        equal(why, "old");
        equal(Number(from.split(".")[1]), Number(entries[0]!.position.split(".")[1]) - 1);
        const met: (string | Buffer)[] = [];
        while (met.length < 11) met.push(await client.message());
        deepEqual(
          met.filter((text) => String(text).startsWith("m")),
          numbered("m", 5, 8),
        );
        deepEqual(
          met.filter((text) => String(text).startsWith("kept")),
          numbered("kept", 6),
        );
        equal((await t.did(client.peer, "observed gap"))["topic"], "last five");
      },
    },
    {
      id: "DL10",
      statement: 'A log that is another one is reported as such ("lost"), however its offsets look.',
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        const other = await reader(t);
        await other.ran(publish("log", "a", "b"));
        await client.expect("a", "b");
        await client.goesAway();
        await other.ran([["room", "deleteHistory", "log"], ...publish("log", "x", "y")]);
        await client.back();
        equal((await client.gap()).why, "lost");
        await client.expect("x", "y");
      },
    },
    {
      id: "DL11",
      statement: "What `except` left out for a connection is not brought to it later.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        const other = await reader(t, ["log"]);
        const except = { except: await idOf(t, client) };
        await other.ran([
          ["roomPublish", "log", "left out", except],
          ["roomPublish", "log", "1"],
        ]);
        await client.expect("1");
        await client.goesAway();
        await other.ran([
          ["roomPublish", "log", "left out, away", except],
          ["roomPublish", "log", "2"],
        ]);
        await client.back();
        await client.expect("2");
        await other.expect("left out", "1", "left out, away", "2");
        await client.goesAway();
        await client.back();
        await client.ran([["send", "nothing else"]]);
        await client.expect("nothing else");
      },
    },
    {
      id: "DL12",
      statement: "A message to several topics comes once to a client that reads several of them, also after a return.",
      limits: needsDelivery,
      async run(t) {
        const [client, half] = [await reader(t, ["log a", "log b"]), await reader(t, ["log b"])];
        const other = await reader(t);
        await other.ran(publish(["log a", "log b", "log c"], "live"));
        await client.expect("live");
        await client.goesAway();
        await other.ran(publish(["log a", "log b"], "away"), publish("log b", "b"));
        await client.back();
        const met = [await client.message(), await client.message()];
        deepEqual(met.toSorted(), ["away", "b"]);
        await other.ran(publish(["log b", "log a"], "live again"));
        await client.expect("live again");
        await half.expect("live", "away", "b", "live again");
      },
    },
    {
      id: "DL13",
      statement:
        "A client's message runs its hook once, in order, however often it is sent, and is acknowledged once what the hook's last turn stored is stored.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        const slow: Script = [
          ["sleep", 20],
          ["roomPublish", "log", "slow"],
          ["sleep", 20],
          ["send", "last turn"],
        ];
        await client.run(slow, publish("log", "second"));
        await client.sendAgain();
        await client.expect("slow", "last turn");
        equal(client.acknowledged, 0);
        await client.untilAcknowledged();
        await client.raw(`1;${JSON.stringify(publish("log", "again"))}`);
        await client.cut();
        await client.back();
        await client.ran(publish("log", "third"));
        await client.expect("second", "third");
        const ids = t.entries(client.peer).flatMap(({ hook, messageId }) => (hook === "message" ? [messageId] : []));
        deepEqual(ids, await Promise.all([1, 2, 3].map(async (number) => `${await idOf(t, client)}:${number}`)));
      },
    },
    {
      id: "DL14",
      statement:
        "A synchronous hook's publishes, its direct sends and the acknowledgement are stored together or not at all: after a crash at any point each has happened once, or happens once with the message sent again.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        for (let round = 1; round <= 3; round++) {
          await client.run([...publish("log", `published ${round}`), ["send", `sent ${round}`]]);
          if (round === 2) await client.untilAcknowledged();
          if (await t.forget("delivering")) await client.back();
          await client.untilAcknowledged();
        }
        const met: (string | Buffer)[] = [];
        while (met.length < 6) met.push(await client.message());
        const of = (name: string): unknown[] => met.filter((text) => String(text).startsWith(name));
        deepEqual([of("published"), of("sent")], [numbered("published", 3), numbered("sent", 3)]);
        const { entries } = await t.outside(undefined, "delivering").history("log");
        equal(entries.length, 3);
      },
    },
    {
      id: "DL15",
      statement: "Where memory was lost in an asynchronous hook, the hook runs again, with the same `messageId`. Elsewhere it runs once.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        await client.run([["sleep", 300], ...publish("log", "done")]);
        await t.hook(client.peer, "message");
        const isLost = await t.forget("delivering");
        if (isLost) await client.back();
        await client.untilAcknowledged();
        await client.expect("done");
        const ids = t.entries(client.peer).flatMap(({ hook, messageId }) => (hook === "message" ? [messageId] : []));
        deepEqual(ids, Array(isLost ? 2 : 1).fill(`${await idOf(t, client)}:1`));
      },
    },
    {
      id: "DL16",
      statement:
        "The server says what it knows of a session that has ended. A message of which nobody knows whether it was applied is reported to the client's application, and not sent again.",
      limits: needsDelivery,
      async run(t) {
        for (const on of ["delivering", "instant"] as const) {
          const client = await reader(t, [], { on });
          const { core, uncertain, sent } = coreOf(client);
          core.outgoing.add(outgoing("[]"));
          core.pump();
          await client.raw(...sent.splice(0));
          await t.done(client.peer, "message");
          if (on === "delivering") await client.peer.close(1000);
          else await client.cut();
          await t.done(client.peer, "close");
          core.lost();
          core.outgoing.add(outgoing('[["send","anew"]]'));
          await client.back({ resumes: false });
          equal(client.welcome.acknowledged, on === "delivering" ? 1 : undefined);
          core.receive(formatControl({ welcome: client.welcome }));
          deepEqual(uncertain, on === "delivering" ? [] : ["[]"]);
          deepEqual(sent, ['1;[["send","anew"]]']);
        }
      },
    },
    {
      id: "DL17",
      statement:
        "What a hook sends while its client is away arrives: the hook goes on. Where hooks were lost with their process, the next `welcome` has another `life`, by which requests without an answer end as `interrupted`.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        const { life } = client.welcome;
        await client.run([
          ["sleep", 100],
          ["send", "result"],
        ]);
        await t.hook(client.peer, "message");
        await client.goesAway();
        await t.done(client.peer, "message");
        await client.back();
        await client.expect("result");
        equal(client.acknowledged, 1);
        equal(client.welcome.life, life);
        const isLost = await t.forget("delivering");
        if (!isLost) return;
        await client.back();
        ok(client.welcome.life !== life);
      },
    },
    {
      id: "DL18",
      statement: "`close` runs once: at the client's close, or when `resumeTimeout` is over, also after an eviction or a restart.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        await client.peer.close(1000, "done");
        deepEqual(await t.closing(client.peer), { code: 1000, reason: "done", initiator: "client" });
        for (const forgets of [false, true]) {
          const away = await reader(t, ["log"], { on: "brief", open: [["present", "ada"]] });
          await away.goesAway();
          if (forgets) await t.forget("brief");
          deepEqual(await t.closing(away.peer), { code: 1006, reason: "", initiator: "network" });
          await t.done(away.peer, "close");
          equal(await t.outside(undefined, "brief").count(), 0);
          deepEqual(await t.outside(undefined, "brief").presence(), []);
          await away.back({ resumes: false });
          equal(away.welcome.acknowledged, 0);
          await away.peer.close(1000);
          await t.done(away.peer, "close");
        }
      },
    },
    {
      id: "DL19",
      statement:
        "A client that does not read is sent a window at most, on every runtime. When it reads, it goes on, and is told what its topics have pushed out meanwhile.",
      limits: needsDelivery,
      async run(t) {
        const text = "x".repeat(100);
        const [stops, pauses] = [await reader(t, ["log"], { on: "frugal" }), await reader(t, ["log", "last five"], { on: "frugal" })];
        const other = await reader(t, [], { on: "frugal" });
        for (const slow of [stops, pauses]) await slow.reads(false);
        const all = Array.from({ length: 200 }, (_, index) => `${text} ${index}`);
        await other.ran(publish("log", ...all));
        await other.ran([["room", "disconnect", await idOf(t, stops), 4000]]);
        let bytes = 0;
        for (;;) {
          const met = await stops.next();
          if (typeof met === "string") bytes += met.length;
          else if ("type" in met) break;
        }
        ok(bytes > 1000 && bytes <= 2048 + 105, `${bytes} bytes`);
        await other.ran(publish("last five", ...numbered("pushed out", 12)));
        await pauses.reads(true);
        const met: string[] = [];
        while (met.length < 205) {
          const one = await pauses.next();
          if (typeof one === "string") met.push(one);
          else if ("gap" in one) equal(one.gap?.why, "old");
        }
        deepEqual(
          met.filter((one) => one.startsWith("x")),
          all,
        );
        deepEqual(
          met.filter((one) => one.startsWith("p")),
          numbered("pushed out", 5, 8),
        );
        await t.did(pauses.peer, "observed gap");
      },
    },
    {
      id: "DL20",
      statement: "Such a client delays nobody: others get everything meanwhile, and it is not closed for what is published.",
      limits: needsDelivery,
      async run(t) {
        const [slow, fast] = [await reader(t, ["log"], { on: "frugal" }), await reader(t, ["log"], { on: "frugal" })];
        await slow.reads(false);
        const texts = numbered("y".repeat(200), 100);
        for (let from = 0; from < 100; from += 20) {
          await fast.ran(publish("log", ...texts.slice(from, from + 20)));
          await fast.expect(...texts.slice(from, from + 20));
        }
        await slow.reads(true);
        await slow.expect(...texts);
      },
    },
    {
      id: "DL21",
      statement: "A client that reads and returns marks is behind for no longer than a round trip: then it gets what no log keeps, too.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"], { on: "frugal" });
        const other = await reader(t, [], { on: "frugal" });
        const texts = numbered("z".repeat(100), 100);
        await other.ran(publish("log", ...texts));
        await client.expect(...texts);
        await client.ran([]);
        await other.ran([["room", "broadcast", "live"]]);
        await client.expect("live");
        await other.expect("live");
      },
    },
    {
      id: "DL22",
      statement:
        "The session of another `subject` is unknown, and so is an invented one. Both clients get a new one, and are told nothing else.",
      limits: needsDelivery,
      async run(t) {
        const as = (subject?: string): DeliveryOptions => ({ upgrade: [["accept", subject === undefined ? {} : { subject }]] });
        const ada = await reader(t, ["log"], as("ada"));
        await ada.ran(publish("log", "secret"));
        const { resume, session } = ada;
        const invented = resume.replace(session, "0".repeat(session.length));
        for (const [subject, offered] of [
          ["eve", resume],
          [undefined, resume],
          ["eve", invented],
          ["ada", invented],
        ] as const) {
          const other = await reader(t, [], { ...as(subject), resume: offered });
          deepEqual(Object.keys(other.welcome).sort(), ["life", "maxInFlight", "resumed", "session"]);
          equal(other.welcome.resumed, false);
          ok(other.session !== session);
        }
        await ada.cutAndBack();
        await ada.ran([["send", "still here"]]);
        await ada.expect("secret", "still here");
      },
    },
    {
      id: "DL23",
      statement:
        "Credentials are checked at each return. One that has expired is refused with 401, and the session stays until `resumeTimeout` is over.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log"]);
        await client.goesAway();
        await client.refused(401, { upgrade: [["refuse", { status: 401 }]] });
        await client.refused(401, { upgrade: [["accept", { expiresAt: 1 }]] });
        await client.back();
        equal(await t.outside(undefined, "delivering").count(), 1);
        await client.ran([["send", "still here"]]);
        await client.expect("still here");
      },
    },
    {
      id: "DL24",
      statement: "A client that repeats, skips or invents numbers, marks, positions or frames ends nothing but itself.",
      limits: needsDelivery,
      async run(t) {
        const good = await reader(t, ["log"]);
        const wrong: readonly (string | Uint8Array)[][] = [
          ["2;skipped"],
          ["0;zero"],
          ["01;zero"],
          ["9007199254740993;large"],
          ["no frame"],
          [Buffer.from("!{}")],
          ['!{"mark":4503599627370496}'],
          ['!{"mark":"1"}'],
          ['!{"at":7}'],
          ["!["],
        ];
        for (const frames of wrong) {
          const bad = await reader(t, ["log"]);
          await bad.raw(...frames);
          const { code } = await bad.close();
          equal(code, 1002, String(frames));
          equal((await t.closing(bad.peer)).code, 1002);
        }
        const odd = await reader(t, ["log"]);
        await odd.raw('!{"unknown":1}', "!{}", '!{"at":{"99":"a.1.b","x":"a.1.b"}}');
        await odd.ran([["send", "fine"]]);
        await odd.expect("fine");
        await good.ran(publish("log", "undisturbed"));
        await good.expect("undisturbed");
        await odd.expect("undisturbed");
      },
    },
    {
      id: "DL25",
      statement:
        "A hook that fails has had its message: it does not run again, and what the client sent after it is taken in its next session.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t);
        await client.send("[]");
        await client.run([["throw", "failed"]], [["send", "after"]]);
        equal((await client.close()).code, 1011);
        deepEqual(await t.closing(client.peer), { code: 1011, reason: "Internal error", initiator: "server" });
        const failed = client.peer;
        await client.back({ resumes: false });
        equal(client.welcome.acknowledged, 2);
        await client.ran([["send", "after"]]);
        await client.expect("after");
        const count = t.entries(failed).filter(({ hook }) => hook === "message").length;
        equal(count, 2);
      },
    },
    {
      id: "DL26",
      statement:
        "In a full room or server a client that comes back has its place. Disconnected connections give way to new ones, the longest away first, and their `close` hooks run.",
      limits: needsDelivery,
      async run(t) {
        const seated = (): Promise<DeliveryClient> => reader(t, [], { on: "seated" });
        const [first, second] = [await seated(), await seated()];
        equal((await t.refused(offering({ on: "seated" }))).status, 503);
        await first.goesAway();
        await first.back();
        await second.goesAway();
        await first.goesAway();
        const third = await seated();
        deepEqual(await t.closing(second.peer), { code: 1006, reason: "", initiator: "network" });
        await t.done(second.peer, "close");
        await first.back();
        await second.refused(503, {});
        equal(await t.outside(undefined, "seated").count(), 2);
        await third.ran([["send", "here"]]);
        await third.expect("here");
      },
    },
    {
      id: "DL27",
      statement:
        "`connection.disconnected` says whether the client is away. `observe` is told that it went, that it returned, and of gaps; `stats().delivery` counts who is live, behind and disconnected.",
      limits: { ...needsServer, ...needsDelivery },
      async run(t) {
        const client = await reader(t, ["log"]);
        const counts = async (): Promise<unknown> => (await t.stats("delivering")).delivery;
        deepEqual(await counts(), { live: 1, behind: 0, disconnected: 0 });
        await client.goesAway();
        deepEqual(await counts(), { live: 0, behind: 0, disconnected: 1 });
        await client.back();
        await client.ran([]);
        deepEqual(await counts(), { live: 1, behind: 0, disconnected: 0 });
        equal((await t.did(client.peer, "observed disconnected"))["disconnected"], true);
        equal((await t.did(client.peer, "observed returned"))["disconnected"], false);
      },
    },
    {
      id: "DL28",
      statement: 'A message sent with `{ keep: false }` arrives at most once: while the client is away it is "dropped", and never comes.',
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t);
        await client.ran([["send", "live", { keep: false }]]);
        await client.expect("live");
        await client.run([
          ["sleep", 200],
          ["send", "away", { keep: false }],
          ["send", "kept"],
        ]);
        await t.hook(client.peer, "message", 2);
        await client.goesAway();
        await t.done(client.peer, "message", 2);
        await client.back();
        await client.expect("kept");
        await client.ran([["send", "again", { keep: false }]]);
        await client.expect("again");
        deepEqual(results(t, client, "send"), ["sent", "dropped", "sent", "sent"]);
      },
    },
    {
      id: "DL29",
      statement:
        "What `upgrade` returns for a client that comes back changes nothing of its session, but the state with `refresh: true`. In another room it gets a new session.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, [], { upgrade: [["accept", { state: 1 }]] });
        const stateOf = async (): Promise<unknown> => ((await inspect(t, client)) as { state: unknown }).state;
        await client.cut();
        await client.back({ upgrade: [["accept", { state: 2 }]] });
        equal(await stateOf(), 1);
        await client.cut();
        await client.back({ upgrade: [["accept", { state: 3, refresh: true }]] });
        equal(await stateOf(), 3);
        const elsewhere = await reader(t, [], { room: "other", resume: client.resume });
        equal(elsewhere.session === client.session, false);
      },
    },
    {
      id: "DL30",
      statement:
        "The application's subprotocol follows a `+`, and the connection has it as its `protocol`. With `required` a client that does not offer delivery gets 400.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, [], { on: "instant", inner: ["v1", "v2"] });
        equal(client.peer.protocol, "edgewire.delivery.1+v2");
        equal(((await inspect(t, client)) as { protocol: unknown }).protocol, "v2");
        const bare = await reader(t, [], { on: "instant" });
        equal(bare.peer.protocol, "edgewire.delivery.1");
        equal((await t.hook(bare.peer, "open"))["protocol"], "");
        const { status, body } = await t.refused({ on: "instant", headers: [["Sec-WebSocket-Protocol", "v1"]] });
        equal(status, 400);
        match(body, /edgewire\.delivery\.1/);
      },
    },
    {
      id: "DL31",
      statement: "A wrong option of `delivery` is a TypeError or RangeError that names it.",
      async run() {
        const wrong: readonly (readonly [options: object, error: new () => Error, message: RegExp])[] = [
          [{ resumeTimeout: -1 }, RangeError, /delivery\.resumeTimeout/],
          [{ resumeTimeout: "1" }, TypeError, /delivery\.resumeTimeout/],
          [{ window: 1 }, RangeError, /delivery\.window/],
          [{ directLog: { messages: 0 } }, RangeError, /delivery\.directLog\.messages/],
          [{ directLog: { letters: 1 } }, TypeError, /letters/],
          [{ maxInFlight: 0 }, RangeError, /delivery\.maxInFlight/],
          [{ maxLogs: 101 }, RangeError, /delivery\.maxLogs/],
          [{ required: 1 }, TypeError, /delivery\.required/],
          [{ maxDisconnected: 0.5 }, RangeError, /delivery\.maxDisconnected/],
          [{ rememberAcknowledged: Number.NaN }, RangeError, /delivery\.rememberAcknowledged/],
          [{ away: 1 }, TypeError, /away/],
        ];
        for (const [options, error, message] of wrong)
          throws(
            () => delivery(options),
            (thrown: Error) => thrown instanceof error && message.test(thrown.message),
            JSON.stringify(options),
          );
        throws(() => defineHandler({ delivery: {} as never }), /option "delivery"/);
      },
    },
    {
      id: "DL32",
      statement:
        "A server without `delivery` selects no subprotocol of it: a client that asks for it can tell, and is served as any other.",
      async run(t) {
        const peer = await t.connect(offering({}));
        equal(peer.protocol, "");
        await peer.send("1;plain");
        await expectTexts(peer, "1;plain");
      },
    },
    {
      id: "DL33",
      statement:
        "Over `maxLogs` topics with a history `subscribe` throws a RangeError, and nothing changes. Other topics don't count, and leaving one makes room.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, ["log 1", "log 2", "log 3", "plain"], { on: "frugal" });
        await client.ran([
          ["subscribe", "log 4"],
          ["subscribe", "log 4", true],
          ["subscribe", "plain too"],
          ["unsubscribe", "log 1"],
          ["subscribe", "log 5"],
        ]);
        const threw = t.entries(client.peer).flatMap(({ did, threw: error }) => (did === "subscribe" ? [error] : []));
        deepEqual(threw.slice(4), ["RangeError", "RangeError", undefined, undefined]);
        await client.ran([["inspect"]]);
        deepEqual((await t.did(client.peer, "inspect"))["topics"], ["log 2", "log 3", "plain", "plain too", "log 5"]);
        deepEqual(client.topics, ["log 2", "log 3", "log 5"]);
      },
    },
    {
      id: "DL34",
      statement: "With more than `maxDisconnected` connections without their client, the one that has been away longest ends.",
      limits: needsDelivery,
      async run(t) {
        const clients = await Promise.all([1, 2, 3].map(() => reader(t, [], { on: "frugal" })));
        for (const client of clients) await client.goesAway();
        const [first, ...others] = clients;
        await t.done(first!.peer, "close");
        for (const client of others) await client.back();
        equal(await t.outside(undefined, "frugal").count(), 2);
      },
    },
    {
      id: "DL35",
      statement: "With `resumeTimeout: 0` a connection ends with its socket, and its client still learns what was acknowledged.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, [], { on: "fickle" });
        await client.ran([]);
        await client.cut();
        deepEqual(await t.closing(client.peer), { code: 1006, reason: "", initiator: "network" });
        await t.done(client.peer, "close");
        await client.back({ resumes: false });
        equal(client.welcome.acknowledged, 1);
      },
    },
    {
      id: "DL36",
      statement: "At most `maxInFlight` messages of a client may be sent and not acknowledged: one more ends the connection with 1002.",
      limits: needsDelivery,
      async run(t) {
        const client = await reader(t, [], { on: "frugal" });
        equal(client.welcome.maxInFlight, 4);
        await client.ran([], [], [], []);
        await client.run([["sleep", 100]], [], [], [], []);
        equal((await client.close()).code, 1002);
        equal((await t.closing(client.peer)).code, 1002);
      },
    },
  ],
};
