/** The socket as a target of its events: what a WebSocket's listeners may expect, everywhere alike. */
import { expect, test, vi } from "vitest";
import { make, server, uncaught, useFakes } from "./made.ts";

useFakes();

test("the property is called first, then each listener once, in their order, with the socket as this and target", () => {
  const { socket } = make();
  const calls: unknown[] = [];
  const listener = (event: Event): void => void calls.push(["listener", event.target === socket, event.currentTarget === socket]);
  socket.addEventListener("open", listener);
  socket.addEventListener("open", listener);
  socket.addEventListener("open", {
    handleEvent(event) {
      calls.push(["object", event.type]);
    },
  });
  socket.onopen = function (this: unknown) {
    calls.push(["property", this === socket]);
  };
  server().opens();
  expect(calls).toEqual([
    ["property", true],
    ["listener", true, true],
    ["object", "open"],
  ]);
});

test("once, a signal, removal, and what is added or removed meanwhile", () => {
  const { socket } = make();
  const calls: string[] = [];
  const controller = new AbortController();
  const removed = (): void => void calls.push("removed");
  socket.addEventListener("message", () => calls.push("once"), { once: true });
  socket.addEventListener("message", () => calls.push("signal"), { signal: controller.signal });
  socket.addEventListener("message", () => calls.push("never"), { signal: AbortSignal.abort() });
  socket.addEventListener(
    "message",
    () => {
      socket.removeEventListener("message", removed);
      socket.addEventListener("message", () => calls.push("added"), { once: true });
    },
    { once: true },
  );
  socket.addEventListener("message", removed);
  socket.addEventListener("message", null);
  server().opens();
  server().hears("1");
  expect(calls.splice(0)).toEqual(["once", "signal"]);
  controller.abort();
  server().hears("2");
  expect(calls.splice(0)).toEqual(["added"]);
  server().hears("3");
  expect(calls).toEqual([]);
});

test("one that throws disturbs no other, nor the socket, and its error is reported", async () => {
  const { socket, events } = make();
  const message = new Error("of the page");
  const fail = (): never => {
    throw message;
  };
  const thrown = await uncaught(() => {
    for (const type of ["open", "message", "disconnect", "status"] as const) {
      socket[`on${type}`] = fail;
      socket.addEventListener(type, fail);
    }
    socket.send("waits");
    server().opens();
    server().hears("hello");
    server().ends();
    socket.close();
  });
  expect(new Set(thrown)).toEqual(new Set([message]));
  const expected = ["open", "status open", "message hello", "disconnect 1006", "status waiting", "close 1005", "status closed"];
  expect(events).toEqual(expected);
  // The property and the listener, of each but close.
  expect(thrown).toHaveLength(12);
  expect(server().sent).toEqual(["waits"]);
});

test("an event of somebody else's is dispatched too", () => {
  const { socket } = make();
  const heard = vi.fn<(event: Event) => void>((event) => event.preventDefault());
  socket.addEventListener("custom", heard);
  expect(socket.dispatchEvent(new Event("custom", { cancelable: true }))).toBe(false);
  expect(heard).toHaveBeenCalledOnce();
});

test("events are of the runtime's classes, and the socket is an EventTarget", () => {
  const { socket } = make();
  const seen: Event[] = [];
  for (const type of ["open", "message", "disconnect"] as const) socket.addEventListener(type, (event) => seen.push(event));
  server().opens();
  server().hears("hello");
  server().ends(1012, "restart", true);
  expect(seen.map((event) => event.constructor)).toEqual([Event, MessageEvent, CloseEvent]);
  expect(seen[1]).toMatchObject({ data: "hello", origin: "ws://server.example" });
  expect(seen[2]).toMatchObject({ code: 1012, reason: "restart", wasClean: true });
  expect(socket).toBeInstanceOf(EventTarget);
});

test("without CloseEvent (Node 22), without any event class (React Native): the same fields", () => {
  for (const missing of [["CloseEvent"], ["CloseEvent", "MessageEvent", "Event", "DOMException"]]) {
    for (const name of missing) vi.stubGlobal(name, undefined);
    const { socket, events } = make();
    vi.unstubAllGlobals();
    const opens = server();
    for (const name of missing) vi.stubGlobal(name, undefined);
    const closes: unknown[] = [];
    socket.ondisconnect = ({ type, code, reason, wasClean, target }) => closes.push([type, code, reason, wasClean, target === socket]);
    const native = (type: string, fields: object): void => opens.emit(type, fields);
    opens.readyState = 1;
    native("open", {});
    native("message", { data: "hello" });
    expect(() => socket.close(1)).toThrow(expect.objectContaining({ name: "InvalidAccessError" }) as Error);
    native("close", { code: 1012, reason: "restart", wasClean: true });
    expect(events).toEqual(["open", "status open", "message hello", "disconnect 1012", "status waiting"]);
    expect(closes).toEqual([["disconnect", 1012, "restart", true, true]]);
    socket.close();
    vi.unstubAllGlobals();
  }
});
