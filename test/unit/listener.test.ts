import { expect, test } from "vitest";
import { Listener } from "../../adapters/shared/events.ts";
import { open } from "./fake.ts";

class Plain extends Listener {
  protected violationOf(): undefined {}
}

function listening(hooks: Parameters<typeof open>[0] = {}): { listener: Plain; live: ReturnType<typeof open>["live"] } {
  const { live } = open(hooks);
  const listener = new Plain();
  listener.listen({ addEventListener() {}, close() {} }, live);
  return { listener, live };
}

test("a socket whose connection is over lets go of it: runtimes keep its listener for longer", () => {
  for (const event of [{ type: "close", code: 1000, reason: "" }, { type: "error" }]) {
    const { listener, live } = listening();
    expect(listener.connection).toBe(live);
    listener.handleEvent(event);
    expect(listener.connection).toBeUndefined();
    expect(live.phase).toBe("closed");
  }
});

test("events after the end are nobody's", () => {
  const told: unknown[] = [];
  const { listener } = listening({ message: (_, data) => void told.push(data), close: (_, { code }) => void told.push(code) });
  listener.handleEvent({ type: "error" });
  listener.handleEvent({ type: "close", code: 1000, reason: "" } as { type: string });
  listener.handleEvent({ type: "message", data: "late" } as { type: string });
  expect(told).toEqual([1006]);
});
