/** The server's clock is set a day forward or back, while clients are there and while they are away: what `resumeTimeout` says is a duration. */
import { defineHandler } from "edgewire";
import type { WebSocketConstructor } from "edgewire/client";
import { delivery } from "edgewire/delivery";
import { DeliverySocket } from "edgewire/delivery/client";
import { fakeClock, memory, type FakeClock, type Memory } from "edgewire/memory";
import { expect, onTestFinished, test, vi } from "vitest";
import { ending } from "../../messages/resume/cuts.ts";

const day = 86_400_000;
const resumeTimeout = 120_000;

interface Jumping {
  readonly clock: FakeClock;
  /** Sets it, without time going on. */
  jump(milliseconds: number): void;
}

function jumping(): Jumping {
  const clock = fakeClock();
  const now = clock.now.bind(clock);
  let shift = 0;
  clock.now = () => now() + shift;
  return { clock, jump: (milliseconds) => (shift += milliseconds) };
}

interface Room {
  readonly server: Memory;
  readonly closed: string[];
}

function serve(clock: FakeClock): Room {
  const closed: string[] = [];
  const handler = defineHandler({
    delivery: delivery({ resumeTimeout }),
    history: { chat: {} },
    upgrade: (request) => ({ state: new URL(request.url).pathname }),
    open(connection) {
      connection.subscribe("chat", { history: true });
    },
    message(connection, data) {
      connection.room.publish("chat", data);
    },
    close({ state }) {
      closed.push(String(state));
    },
  });
  const server = memory(handler, { clock });
  onTestFinished(() => server.close());
  return { server, closed };
}

class Client {
  readonly received: unknown[] = [];
  readonly told: string[] = [];
  readonly socket: DeliverySocket;
  readonly #network: ReturnType<typeof ending>;
  #gate = Promise.resolve();
  #open: () => void = () => {};

  constructor(server: Memory, name: string) {
    this.#network = ending(server.WebSocket as unknown as WebSocketConstructor);
    const address = async (): Promise<string> => {
      await this.#gate;
      return `ws://localhost/${name}`;
    };
    this.socket = new DeliverySocket(address, [], { WebSocket: this.#network.WebSocket, firstDelay: 1, maxDelay: 5 });
    this.socket.addEventListener("message", ({ data }) => this.received.push(data));
    for (const type of ["gap", "uncertain", "interrupted", "error", "close"] as const)
      this.socket.addEventListener(type, () => this.told.push(type));
    onTestFinished(() => this.socket.close());
  }

  /** Loses its socket, and stays away. */
  async leave(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#open = resolve;
    const lost = this.#next("disconnect");
    this.#network.end();
    await lost;
  }

  async comeBack(): Promise<void> {
    const back = this.#next("open");
    this.#open();
    await back;
  }

  #next(type: "open" | "disconnect"): Promise<unknown> {
    return new Promise((resolve) => this.socket.addEventListener(type, resolve));
  }
}

test.each([
  ["not at all", 0],
  ["forward", day],
  ["back", -day],
])("set a day %s: who is there stays, and who comes back in time is the same", async (_, shift) => {
  const { clock, jump } = jumping();
  const { server, closed } = serve(clock);
  const [there, away] = [new Client(server, "there"), new Client(server, "away")];
  await Promise.all([there.socket.opened, away.socket.opened]);
  await away.leave();
  await server.settled();
  jump(shift);
  // The schedule looks at the clock at least once a minute.
  await clock.advance(resumeTimeout - 1000);
  expect(await there.socket.deliver("hello")).toBe("acknowledged");
  await away.comeBack();
  await vi.waitFor(() => expect([there.received, away.received]).toEqual([["hello"], ["hello"]]));
  expect([there.told, away.told, closed]).toEqual([[], [], []]);
});

test.each([
  ["forward", day],
  ["back", -day],
])("set a day %s: who does not come back ends in time", async (_, shift) => {
  const { clock, jump } = jumping();
  const { server, closed } = serve(clock);
  const away = new Client(server, "away");
  await away.socket.opened;
  await away.leave();
  await server.settled();
  jump(shift);
  // It looks at the clock once a minute, and may have looked just before the time was over.
  await clock.advance(resumeTimeout + 60_000);
  await vi.waitFor(() => expect(closed).toEqual(["/away"]));
});
