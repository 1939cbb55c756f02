/** The assistant on each runtime by its messages: it is cut off, watched from a second device, stopped, and killed. */
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { DeliverySocket } from "edgewire/delivery/client";
import { messageClient } from "edgewire/messages";
import type { MessageClient } from "edgewire/messages";
import { messages } from "../../examples/assistant/messages.ts";
import { textFor } from "../../examples/assistant/model.ts";
import { ExampleServer, runtimes } from "./server.ts";

interface Answer {
  text: string;
  parts: number;
  why?: string;
}

/** A device: a page without its elements. */
interface Device {
  readonly socket: DeliverySocket;
  readonly client: MessageClient<typeof messages, DeliverySocket>;
  readonly questions: string[];
  /** Strict: a part that is missing, or comes twice, throws. */
  readonly answers: Map<string, Answer>;
  readonly problems: unknown[];
  /** Breaks the connection without a word. */
  cut(): void;
  /** Resolves once so many parts of the answer are there. */
  reads(id: string, parts: number): Promise<void>;
  ends(id: string): Promise<Answer>;
}

const devices: Device[] = [];
afterEach(() => {
  for (const { socket } of devices.splice(0)) socket.close();
});

function open(url: string, conversation: string): Device {
  const sockets: WebSocket[] = [];
  class Cuttable extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols);
      sockets.push(this);
    }
  }
  const socket = new DeliverySocket(`${url.replace(/^http/, "ws")}/ws?conversation=${conversation}`, messages.protocols, {
    WebSocket: Cuttable as never,
    firstDelay: 20,
    maxDelay: 500,
  });
  const client = messageClient(messages, socket);
  const questions: string[] = [];
  const answers = new Map<string, Answer>();
  const problems: unknown[] = [];
  client.onError((error) => problems.push(error));
  client.onGap((gap) => problems.push(gap));
  client.on("asked", ({ id }) => {
    questions.push(id);
    answers.set(id, { text: "", parts: 0 });
    client.send("follow", { id });
  });
  client.on("part", ({ id, at, text }) => {
    const answer = answers.get(id);
    if (answer === undefined || answer.text.length !== at || answer.why !== undefined) return void problems.push([id, at, text]);
    answer.text += text;
    answer.parts++;
  });
  client.on("done", ({ id, why }) => {
    const answer = answers.get(id);
    if (answer === undefined || answer.why !== undefined) return void problems.push([id, why]);
    answer.why = why;
  });
  const device: Device = {
    socket,
    client,
    questions,
    answers,
    problems,
    cut: () => sockets.at(-1)?.terminate(),
    async reads(id, parts) {
      await expect.poll(() => answers.get(id)?.parts ?? 0, { timeout: 90_000, interval: 10 }).toBeGreaterThanOrEqual(parts);
    },
    async ends(id) {
      await expect.poll(() => answers.get(id)?.why, { timeout: 60_000 }).toBeDefined();
      return answers.get(id) as Answer;
    },
  };
  devices.push(device);
  return device;
}

describe.each(runtimes(["node", "workerd"], ["bun", "deno"]))("the assistant on %s", (runtime) => {
  test("an answer goes on over cuts, on a second device and after a kill; another is stopped", async () => {
    const server = await ExampleServer.start("assistant", runtime);
    onTestFinished(() => server.end());
    const first = open(server.url, "lasting");
    const prompt = "Tell me at length what becomes of an answer";
    await first.client.request("ask", { id: "question-1", prompt });
    await first.reads("question-1", 3);
    // What is sent without a connection is sent with the next one.
    first.cut();
    await first.reads("question-1", 8);
    const second = open(server.url, "lasting");
    await second.reads("question-1", 10);
    // SIGKILL, on Cloudflare to workerd.
    await server.kill();
    await server.start();
    // Parts that were on their way are among the first of these.
    const { parts = 0 } = second.answers.get("question-1") ?? {};
    for (const device of [first, second]) await device.reads("question-1", parts + 20);
    // Asked again, as by a client that was not told: it is known.
    await first.client.request("ask", { id: "question-1", prompt });
    second.client.send("cancel", { id: "question-1" });
    for (const device of [first, second]) {
      const { text, why } = await device.ends("question-1");
      expect(why).toBe("cancelled");
      // It is the whole text up to there, and no part twice.
      expect(textFor(prompt).startsWith(text)).toBe(true);
      expect(text.length).toBeLessThan(textFor(prompt).length);
    }

    await second.client.request("ask", { id: "question-2", prompt: "And another?" });
    for (const device of [first, second]) {
      expect(await device.ends("question-2")).toMatchObject({ text: textFor("And another?"), why: "end" });
      expect([device.questions, device.problems]).toEqual([["question-1", "question-2"], []]);
    }
    // Who comes when all is over reads the same.
    const third = open(server.url, "lasting");
    for (const id of ["question-1", "question-2"]) expect((await third.ends(id)).text).toBe(first.answers.get(id)?.text);
    expect(third.problems).toEqual([]);
  }, 240_000);
});
