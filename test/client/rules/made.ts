/** A socket over a WebSocket that does as it is told, on a fake clock, and the list of its events. */
import { ReconnectingWebSocket, type ClientOptions } from "edgewire/client";
import { afterEach, beforeEach, vi } from "vitest";
import { FakeWebSocket } from "../fake.ts";

export const url = "ws://server.example/";

export function useFakes(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    FakeWebSocket.made = [];
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}

export function make(options: ClientOptions = {}, address: ConstructorParameters<typeof ReconnectingWebSocket>[0] = url) {
  const socket = new ReconnectingWebSocket(address, [], { WebSocket: FakeWebSocket, heartbeat: 0, ...options });
  const events: string[] = [];
  for (const type of ["open", "message", "disconnect", "retry", "error", "close", "drop", "status"]) {
    socket.addEventListener(type, (event) => {
      const { code, data, error, cause } = event as Event & { code?: number; data?: unknown; error?: Error; cause?: Error };
      const about = {
        close: code,
        disconnect: cause ? `${code} ${cause.message}` : code,
        retry: cause?.message,
        message: data,
        error: error?.message,
        drop: `${String(data)} at ${socket.readyState}`,
        status: socket.status,
      };
      events.push([type, about[type as "close"]].filter((one) => one !== undefined).join(" "));
    });
  }
  return { socket, events };
}

/** The latest of the WebSockets that were made. */
export const server = (): FakeWebSocket => FakeWebSocket.last;

/** What is thrown to the runtime while `run` runs: Vitest's own listener would fail the test. */
export async function uncaught(run: () => void): Promise<unknown[]> {
  const thrown: unknown[] = [];
  const caught = (error: unknown): void => void thrown.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", caught);
  vi.useRealTimers();
  run();
  await new Promise((resolve) => setTimeout(resolve));
  process.off("uncaughtException", caught);
  for (const other of others) process.on("uncaughtException", other);
  return thrown;
}
