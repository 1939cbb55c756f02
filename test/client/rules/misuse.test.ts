/** Wrong options, addresses and close codes are refused at once. */
import { ReconnectingWebSocket } from "edgewire/client";
import { expect, test, vi } from "vitest";
import { make, url, useFakes } from "./made.ts";

useFakes();

test.for([
  [{ firstDelay: -1 }, RangeError, 'option "firstDelay" is -1: expected 1 to 2147483647'],
  [{ connectTimeout: Number.NaN }, RangeError, 'option "connectTimeout" is NaN: expected 1 to 2147483647'],
  [{ firstDelay: 0 }, RangeError, 'option "firstDelay" is 0: expected 1 to 2147483647'],
  [{ heartbeatTimeout: 0 }, RangeError, 'option "heartbeatTimeout" is 0: expected 1 to 2147483647'],
  [{ heartbeat: 2 ** 31 }, RangeError, 'option "heartbeat" is 2147483648: expected 0 to 2147483647'],
  [{ queueBytes: "1 MiB" }, RangeError, 'option "queueBytes" is 1 MiB: expected 0 to 2147483647'],
  [{ finalCodes: 1000 }, TypeError, 'option "finalCodes" is 1000: expected Array'],
  [{ signal: {} }, TypeError, 'option "signal" is [object Object]: expected AbortSignal'],
  [{ WebSocket: "ws" }, TypeError, 'option "WebSocket" is ws: expected Function'],
  [{ firstDelai: 1 }, TypeError, /^option "firstDelai" is 1: expected firstDelay,maxDelay,/],
] as const)("%o", ([options, type, message]) => {
  const wrong = (): unknown => new ReconnectingWebSocket(url, [], options as object);
  expect(wrong).toThrow(type);
  expect(wrong).toThrow(message);
});

test.for([
  ["nowhere", [], /^url "nowhere" must be ws\(s\):/],
  [url, "a b", /protocols "a b" distinct tokens/],
  [url, ["a", "a"], /protocols "a,a" distinct tokens/],
] as const)("%s with %o", ([address, protocols, message]) => {
  const wrong = (): unknown => new ReconnectingWebSocket(address, protocols);
  expect(wrong).toThrow(message);
  expect(wrong).toThrow(expect.objectContaining({ name: "SyntaxError" }) as Error);
});

test("a close that no client may send", () => {
  const { socket } = make();
  for (const code of [1001, 0, 5000, 1000.5, 3000.5, Number.NaN, "4000"]) {
    expect(() => socket.close(code as number)).toThrow(expect.objectContaining({ name: "InvalidAccessError" }) as Error);
  }
  for (const reason of ["ä".repeat(62), "x".repeat(124)]) {
    expect(() => socket.close(1000, reason)).toThrow(expect.objectContaining({ name: "SyntaxError" }) as Error);
  }
  expect(socket.readyState).toBe(0);
  socket.close(4999, "ä".repeat(61));
});

test("offer takes a function [EW514]", () => {
  const { socket } = make();
  for (const wrong of [undefined, null, ["chat"], "chat", {}]) {
    expect(() => socket.offer(wrong as never)).toThrow(new TypeError("offer takes a function [EW514]"));
  }
});

test("a runtime without WebSocket takes the option's, and says so where there is none", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(make().socket.readyState).toBe(0);
  expect(() => new ReconnectingWebSocket(url)).toThrow(/WebSocket is not a constructor/);
});
