/** Delivery's part of docs/vectors.json, against the frames and the client's core. */
import { describe, expect, test } from "vitest";
import { DeliveryCore } from "../../src/delivery/client/core.ts";
import { parseClientFrame, parseServerFrame } from "../../src/delivery/frames.ts";
import { dataOf, expectationOf, vectors, wireOf, writtenOf, type Step } from "./vectors.ts";

const parsers = { "to server": parseClientFrame, "to client": parseServerFrame };

test.each(vectors.frames)("$direction: $name", ({ direction, frame, ...wire }) => {
  const parsed = parsers[direction](wireOf(wire as (typeof vectors.frames)[number])) as { readonly payload?: unknown } | undefined;
  expect(parsed?.payload instanceof Uint8Array ? { ...parsed, payload: writtenOf(parsed.payload) } : parsed).toEqual(frame);
});

test.each(vectors.bad)("$direction: $name is no frame", (wire) => {
  expect(parsers[wire.direction](wireOf(wire))).toBeUndefined();
});

/** A client that notes what it gives to the application and sends to the server. */
class Client {
  given: unknown[] = [];
  sent: unknown[] = [];
  readonly #protocols: readonly string[];
  readonly #core = new DeliveryCore(
    {
      send: (data) => this.sent.push(writtenOf(data)),
      message: (message) => this.given.push({ message: shown(message) }),
      gap: ({ topic, why }) => this.given.push({ gap: { ...(topic === undefined ? {} : { topic }), why } }),
      uncertain: ({ data }) => this.given.push({ uncertain: shown(data) }),
      interrupted: (resumed) => this.given.push({ interrupted: { resumed } }),
      live: () => {},
    },
    1000,
    2 ** 20,
  );

  constructor(protocols: readonly string[] = []) {
    this.#protocols = protocols;
  }

  /** Returns what the step must give, as the client's side of it. */
  take({ connect, lose, receive, say, close }: Step): Step {
    this.given = [];
    this.sent = [];
    if (lose !== undefined) this.#lose(lose);
    if (say !== undefined) this.#say(say);
    if (close === true) this.#close();
    const problem = receive === undefined ? undefined : this.#core.receive(dataOf(receive));
    return {
      ...(connect === undefined ? {} : { connect: this.#core.offer(this.#protocols) }),
      ...(this.given.length === 0 ? {} : { gives: this.given as object[] }),
      ...(this.sent.length === 0 ? {} : { sends: this.sent as object[] }),
      ...(problem === undefined ? {} : { broken: true }),
    };
  }

  /** As the socket does. */
  #lose(lose: NonNullable<Step["lose"]>): void {
    this.#core.lost();
    if (lose !== true && lose.reason === "another connection has the session") this.#core.forget();
  }

  #say(written: NonNullable<Step["say"]>): void {
    const data = dataOf(written);
    const acknowledged = (fate: string): unknown => fate === "acknowledged" && this.given.push({ acknowledged: shown(data) });
    this.#core.outgoing.add({ given: data as string, data, size: data.length, settle: acknowledged });
    this.#core.pump();
  }

  #close(): void {
    const { uncertain, refused } = this.#core.outgoing.end();
    for (const { data } of uncertain) this.given.push({ uncertain: shown(data) });
    for (const { data } of refused) this.given.push({ refused: shown(data) });
  }
}

function shown(data: unknown): unknown {
  return typeof data === "string" ? data : writtenOf(data);
}

describe("sessions", () => {
  test.each(vectors.sessions)("$name", ({ protocols, steps }) => {
    const client = new Client(protocols);
    for (const [index, step] of steps.entries()) {
      expect(client.take(step), `step ${index + 1}: ${JSON.stringify(step)}`).toEqual(expectationOf(step));
    }
  });
});
