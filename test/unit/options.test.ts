/** Whatever an option is given, it is taken, or refused by its name when the handler is defined. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { defineHandler, type Handler } from "edgewire";
import { delivery } from "../../src/delivery/server/index.ts";

/** Each option with a value that it takes beside every default. */
const options: Record<Exclude<keyof Handler, Hook>, unknown> = {
  calls: { vote: () => {} },
  origins: ["https://app.example"],
  hosts: ["app.example"],
  protocols: ["v1"],
  requireProtocol: false,
  trustProxy: 1,
  maxPayload: 1000,
  maxBuffered: 2 ** 20,
  slowConsumer: "drop",
  highWaterMark: 1000,
  maxQueued: 10,
  rate: { messages: 10 },
  delivery: delivery(),
  maxConnections: 100_000,
  maxConnectionsPerRoom: 10,
  maxConnectionsPerAddress: 10,
  maxTopics: 10,
  maxName: 10,
  compression: true,
  upgradeTimeout: 1000,
  closeTimeout: 1000,
  heartbeat: { interval: 1000 },
  history: { news: { messages: 1 } },
  maxState: 1000,
  observe: {},
  binding: "ROOM",
  jurisdiction: "eu",
  locationHint: "weur",
  version: 1,
};
type Hook = "upgrade" | "open" | "wake" | "message" | "drop" | "drain" | "close" | "error" | "migrate" | "room" | "alarm" | "presence";

const define = (given: Record<string, unknown>): unknown => defineHandler(given as Handler);

test.for(Object.entries(options))("%s is taken", ([name, value]) => {
  define({ [name]: value });
});

test.for(Object.entries(options))("%s: any value", ([name, good]) => {
  const odd = fc.oneof(
    fc.anything({
      withNullPrototype: true,
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
    }),
    fc.double(),
    fc.integer(),
    fc.constantFrom(NaN, -0, Infinity, -1, 0.5, 2 ** 53, "", " ", [], [undefined], {}, Symbol("odd"), () => {}, null, new Proxy({}, {})),
    // Almost right.
    typeof good === "object" && !Array.isArray(good)
      ? fc.dictionary(fc.constantFrom(...Object.keys(good as object), "odd"), fc.anything({ withNullPrototype: true }))
      : fc.array(fc.anything({ withNullPrototype: true })),
  );
  fc.assert(
    fc.property(odd, (value) => {
      try {
        define({ [name]: value });
      } catch (error) {
        expect(error instanceof TypeError || error instanceof RangeError, String(error)).toBe(true);
        expect((error as Error).message).toContain(name);
      }
    }),
    { numRuns: 500 },
  );
});

test("any two options: together they are taken, or one is refused by both names", () => {
  const numbers = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2 ** 24 }));
  const numeric = ["maxPayload", "maxBuffered", "highWaterMark", "maxConnections", "maxConnectionsPerRoom", "maxConnectionsPerAddress"];
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...numeric), numbers),
      fc.option(fc.record({ bytes: numbers, burst: fc.integer({ min: 1, max: 10 }) })),
      (given, rate) => {
        const all = { ...given, ...(rate === null ? {} : { rate }) };
        const { maxPayload = 2 ** 20, maxBuffered = 2 ** 24, highWaterMark = 2 ** 16, maxConnections = 65_536 } = given;
        const contradicts =
          highWaterMark > maxBuffered ||
          (given["maxConnectionsPerRoom"] ?? 0) > maxConnections ||
          (given["maxConnectionsPerAddress"] ?? 0) > maxConnections ||
          (rate !== null && rate.bytes * rate.burst < maxPayload);
        let refused: Error | undefined;
        try {
          define(all);
        } catch (error) {
          refused = error as Error;
        }
        expect(refused !== undefined, JSON.stringify(all) + String(refused)).toBe(contradicts);
        if (refused !== undefined) expect(refused.message.match(/"[a-zA-Z]+"/g)?.length).toBeGreaterThan(1);
      },
    ),
    { numRuns: 1000 },
  );
});
