/** The socket with delivery, over a WebSocket whose server is a session in this process. */
import { expect, test, vi } from "vitest";
import { DeliverySocket } from "../../src/delivery/client/socket.ts";
import type { GapEvent, UncertainEvent } from "../../src/delivery/client/types.ts";
import type { ClientOptions } from "../../src/client/types.ts";
import type { Data } from "../../src/api/connection.ts";
import { parseClientFrame } from "../../src/delivery/frames.ts";
import { Session } from "../../src/delivery/server/session.ts";
import { readResume } from "../../src/protocol/delivery.ts";
import { OwnLog } from "../../src/delivery/server/own-log.ts";
import { SimulatedLog, tellOf } from "./log.ts";

const limits = { window: 65_536, ownLog: { messages: 256, bytes: 262_144 }, maxInFlight: 8 };

function sessionOf(epoch: string): Session {
  return new Session("c", new OwnLog(epoch, limits.ownLog), limits);
}

/** A server of one session at a time. */
class Place {
  session = sessionOf("own");
  readonly log = new SimulatedLog("e1");
  readonly got: unknown[] = [];
  readonly offered: (readonly string[])[] = [];
  name = "s1";
  delivers = true;
  /** Messages are acknowledged as they come. */
  acknowledges = true;
  current: Native | undefined;

  publish(text: string): void {
    tellOf(this.session, [{ topic: "chat", number: 1, log: this.log, entry: this.log.append(text, `t${this.log.head}`) }]);
  }

  /** The session is forgotten. */
  restart(): void {
    this.session = sessionOf("own2");
    this.name = `${this.name}x`;
    this.current?.lose();
  }

  accept(native: Native, protocols: readonly string[]): string {
    this.offered.push(protocols);
    this.current = native;
    if (!this.delivers) return protocols.includes("json") ? "json" : "";
    const { session: named, positions } = readResume(protocols.at(-1) ?? "") ?? { positions: new Map() };
    queueMicrotask(() => {
      const resumed = named === this.name;
      this.session.detach();
      this.session.attach({ send: (data) => native.receive(data as Data) }, { session: this.name, resumed, life: "1" }, { positions });
      if (!this.session.reads("chat")) this.session.begin("chat", this.log, 1, undefined);
    });
    return protocols[0] ?? "";
  }

  take(data: Data): void {
    const frame = parseClientFrame(data);
    if (frame?.type !== "message") {
      if (frame?.control.mark !== undefined) this.session.returned(frame.control.mark);
      if (frame?.control.at !== undefined) this.session.missed(frame.control.at);
      return;
    }
    if (this.session.arrived(frame.number) !== "next") return;
    this.got.push(frame.payload);
    if (!this.acknowledges) return;
    this.session.acknowledge(frame.number);
    this.session.tell();
  }
}

interface Native {
  receive(data: Data): void;
  lose(): void;
}

function socketOf(place: Place, protocols: readonly string[] = [], options: ClientOptions = {}): DeliverySocket {
  class FakeWebSocket extends EventTarget implements Native {
    readyState = 0;
    protocol = "";
    readonly extensions = "";
    readonly bufferedAmount = 0;
    binaryType = "blob";
    readonly url: string;

    constructor(url: string, offered: readonly string[]) {
      super();
      this.url = url;
      queueMicrotask(() => {
        this.readyState = 1;
        this.protocol = place.accept(this, offered);
        this.dispatchEvent(new Event("open"));
      });
    }

    send(data: string | Uint8Array): void {
      queueMicrotask(() => place.take(typeof data === "string" ? data : (Uint8Array.from(data) as Data)));
    }

    close(code = 1005, reason = ""): void {
      this.readyState = 3;
      queueMicrotask(() => this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: true })));
    }

    receive(data: Data): void {
      const shown = typeof data === "string" ? data : data.slice().buffer;
      queueMicrotask(() => this.readyState === 1 && this.dispatchEvent(new MessageEvent("message", { data: shown })));
    }

    lose(): void {
      this.readyState = 3;
      this.dispatchEvent(new CloseEvent("close", { code: 1006 }));
    }
  }
  return new DeliverySocket("ws://localhost/", protocols, { firstDelay: 1, heartbeat: 0, WebSocket: FakeWebSocket as never, ...options });
}

interface Watched {
  readonly socket: DeliverySocket;
  readonly got: unknown[];
  readonly events: string[];
}

function watch(socket: DeliverySocket): Watched {
  const got: unknown[] = [];
  const events: string[] = [];
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => got.push(data));
  for (const type of ["open", "disconnect", "close"]) socket.addEventListener(type, () => events.push(type));
  socket.addEventListener("error", ({ error }) => events.push(String(error)));
  socket.addEventListener("drop", ({ data }) => events.push(`drop ${String(data)}`));
  socket.addEventListener("gap", (event) => events.push(`gap ${(event as GapEvent).topic} ${(event as GapEvent).why}`));
  socket.addEventListener("uncertain", (event) => events.push(`uncertain ${String((event as UncertainEvent).data)}`));
  return { socket, got, events };
}

test("what is sent and published meanwhile arrives once, in order, over three connections", async () => {
  const place = new Place();
  const { socket, got, events } = watch(socketOf(place));
  const fates = [socket.deliver("before there is a connection"), socket.deliver(Uint8Array.of(1, 2))];
  expect([socket.readyState, socket.send("third")]).toEqual([0, "queued"]);
  await vi.waitFor(() => expect(place.got).toHaveLength(3));
  expect(await Promise.all(fates)).toEqual(["acknowledged", "acknowledged"]);
  for (let round = 0; round < 2; round++) {
    place.publish(`live ${round}`);
    place.current!.lose();
    expect([socket.readyState, socket.status]).toEqual([1, "waiting"]);
    place.publish(`away ${round}`);
    expect(socket.send(`sent away ${round}`)).toBe("queued");
    await vi.waitFor(() => expect(place.got).toContain(`sent away ${round}`));
  }
  await vi.waitFor(() => expect(got).toEqual(["live 0", "away 0", "live 1", "away 1"]));
  expect(place.got).toEqual(["before there is a connection", Uint8Array.of(1, 2), "third", "sent away 0", "sent away 1"]);
  expect(events).toEqual(["open", "disconnect", "open", "disconnect", "open"]);
  socket.close();
});

test("what was under way when the server forgot the session is uncertain, the rest is sent, and the topic begins anew", async () => {
  const place = new Place();
  place.acknowledges = false;
  const { socket, events } = watch(socketOf(place));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  const under = Array.from({ length: 8 }, (_, index) => socket.deliver(`m${index}`));
  const later = socket.deliver("later");
  await vi.waitFor(() => expect(place.got).toHaveLength(8));
  place.acknowledges = true;
  place.restart();
  expect(await Promise.all(under)).toEqual(Array.from({ length: 8 }, () => "uncertain"));
  expect(await later).toBe("acknowledged");
  expect(place.got.filter((data) => data === "m0")).toHaveLength(1);
  expect(events.filter((event) => event.startsWith("uncertain"))).toHaveLength(8);
  socket.close();
});

test("a gap is told before what follows it", async () => {
  const place = new Place();
  const { socket, got, events } = watch(socketOf(place));
  await vi.waitFor(() => expect(socket.status).toBe("open"));
  place.publish("one");
  await vi.waitFor(() => expect(got).toEqual(["one"]));
  place.current!.lose();
  for (const text of ["two", "three", "four"]) place.publish(text);
  place.log.trim(2);
  socket.addEventListener("gap", () => got.push("gap"));
  await vi.waitFor(() => expect(got).toEqual(["one", "gap", "three", "four"]));
  expect(events).toContain("gap chat old");
  socket.close();
});

test("the application's subprotocol is inside; a server without delivery is a final error that says so", async () => {
  const place = new Place();
  const first = watch(socketOf(place, ["json"]));
  await vi.waitFor(() => expect(first.socket.status).toBe("open"));
  expect([first.socket.protocol, place.offered[0]]).toEqual(["json", ["edgewire.delivery.1+json"]]);
  first.socket.close();
  place.delivers = false;
  const second = watch(socketOf(place));
  second.socket.send("kept");
  await vi.waitFor(() => expect(second.events).toContain("close"));
  expect(second.events[0]).toBe("drop kept");
  expect(second.events[1]).toContain("the server has no delivery");
});

test("a full queue refuses, a closed socket refuses, and what was not acknowledged at the end is told", async () => {
  const place = new Place();
  place.acknowledges = false;
  const { socket, events } = watch(socketOf(place, [], { queueMessages: 2, queueBytes: 10 }));
  const fates = [socket.deliver("12345"), socket.deliver("123456"), socket.deliver("1"), socket.deliver("2")];
  expect(await fates[1]).toBe("refused");
  expect(await fates[3]).toBe("refused");
  await vi.waitFor(() => expect(place.got).toHaveLength(2));
  socket.close();
  expect(await Promise.all([fates[0], fates[2]])).toEqual(["uncertain", "uncertain"]);
  await vi.waitFor(() => expect(events).toContain("close"));
  expect(socket.send("late")).toBe("refused");
});

test.each([
  ["hello", "no frame"],
  ["1.1.a;early", "before the welcome"],
  ['!{"welcome":{"session":"?","resumed":false,"life":"1","maxInFlight":1}}', "without a session"],
])("a server that breaks the protocol ends the socket, and nothing else: %s", async (text, problem) => {
  const place = new Place();
  const { socket, events } = watch(socketOf(place));
  vi.spyOn(place, "accept").mockImplementation((native, protocols) => {
    queueMicrotask(() => native.receive(text));
    return protocols[0]!;
  });
  await vi.waitFor(() => expect(events).toContain("close"));
  expect(events[0]).toContain(problem);
  expect(socket.readyState).toBe(3);
});

test("a Blob keeps its place, and buffers may be used again at once", async () => {
  const place = new Place();
  const { socket } = watch(socketOf(place));
  const bytes = Uint8Array.of(7);
  socket.send(bytes);
  bytes[0] = 0;
  socket.send(new Blob(["blob"]));
  socket.send("after");
  await vi.waitFor(() => expect(place.got).toHaveLength(3));
  expect(place.got).toEqual([Uint8Array.of(7), new TextEncoder().encode("blob"), "after"]);
  socket.close();
});
