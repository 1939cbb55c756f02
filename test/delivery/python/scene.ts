/** Clients in Python through a proxy that cuts: each sends its messages, reads everybody's from a topic, and gets an answer to each of its own. */
import { expect } from "vitest";
import { Cutter } from "./cutter.ts";
import { Talk } from "./talk.ts";

export interface CutPlan {
  readonly python: string;
  /** Where the server is. */
  readonly port: number;
  readonly seed: number;
  readonly clients: number;
  /** Of each client. */
  readonly messages: number;
  /** Bytes that a connection carries in a direction, on average. */
  readonly mean: number;
}

/** Messages of a client that have no answer yet. */
const ahead = 8;

/**
 * The server publishes each message to a topic that all read, and answers its sender with `answer <message>`.
 * @param applied what the server's hook has had, in order, to be looked at when all is done.
 * @returns how often a connection was cut.
 */
export async function cutAndCheck({ python, port, seed, clients, messages, mean }: CutPlan, applied: readonly string[]): Promise<number> {
  await using cutter = await Cutter.to(port, seed, mean);
  const delays = { first_delay: 0.01, max_delay: 0.1, heartbeat: 1, heartbeat_timeout: 2, connect_timeout: 5, stable_after: 0 };
  using talk = new Talk(python, { url: `ws://127.0.0.1:${cutter.port}/`, clients, options: delays });
  const indices = Array.from({ length: clients }, (_, index) => index);
  const sent = indices.map(() => 0);
  const all = clients * messages;
  await talk.until("every message and answer", () => {
    for (const client of indices) {
      const answered = answersOf(talk, client).length;
      while (sent[client]! < Math.min(messages, answered + ahead)) talk.send(client, `${client}:${++sent[client]!}`);
    }
    return indices.every(
      (client) => talk.of(client, "message").length >= all + messages && talk.of(client, "acknowledged").length >= messages,
    );
  });
  expect(await talk.end(), `seed ${seed}: errors of the clients`).toBe("");
  for (const client of indices) {
    const own = Array.from({ length: messages }, (_, index) => `${client}:${index + 1}`);
    expect(
      applied.filter((text) => text.startsWith(`${client}:`)),
      `seed ${seed}: client ${client}'s messages, as applied`,
    ).toEqual(own);
    expect(topicOf(talk, client), `seed ${seed}: the topic, as client ${client} has it`).toEqual(applied);
    expect(answersOf(talk, client), `seed ${seed}: answers to client ${client}`).toEqual(own.map((text) => `answer ${text}`));
    expect(talk.of(client, "acknowledged")).toEqual(own);
    const others = talk.events[client]!.map(([kind]) => kind).filter((kind) => !["open", "sent", "message", "acknowledged"].includes(kind));
    expect(others, `seed ${seed}: gaps and the like of client ${client}`).toEqual(["closed"]);
  }
  return cutter.cuts;
}

function answersOf(talk: Talk, client: number): unknown[] {
  return talk.of(client, "message").filter((text) => String(text).startsWith("answer "));
}

function topicOf(talk: Talk, client: number): unknown[] {
  return talk.of(client, "message").filter((text) => !String(text).startsWith("answer "));
}
