/** A client whose network is cut at any message, and what it must have seen. */
import { ReconnectingWebSocket } from "edgewire/client";
import type { ClientOptions, WebSocketConstructor } from "edgewire/client";
import { messageClient } from "edgewire/messages";
import type { MessageClient } from "edgewire/messages";
import type { messages as Messages } from "./definition.ts";

interface Cuttable extends EventTarget {
  terminate(): void;
}

/** A WebSocket that is lost after a random number of messages; those that were on their way are lost with it. */
export function cutting(Given: WebSocketConstructor, random: () => number, most: number): WebSocketConstructor {
  return class extends (Given as unknown as new (url: string, protocols: string[]) => Cuttable) {
    #left = Math.floor(random() * most);

    /** Of `ws`. */
    emit(event: string, ...args: unknown[]): boolean {
      if (event === "message" && this.#isCut()) return false;
      return (super["emit" as never] as (...all: unknown[]) => boolean).call(this, event, ...args);
    }

    override dispatchEvent(event: Event): boolean {
      return event.type === "message" && this.#isCut() ? false : super.dispatchEvent(event);
    }

    #isCut(): boolean {
      if (this.#left-- > 0) return false;
      this.terminate();
      return true;
    }
  } as unknown as WebSocketConstructor;
}

/** A WebSocket of which the test can end the last one. */
export function ending(Given: WebSocketConstructor): { readonly WebSocket: WebSocketConstructor; end(): void } {
  let last: Cuttable | undefined;
  // A constructor that returns an object makes that one.
  const WebSocket = function (url: string, protocols: string[]): unknown {
    return (last = new Given(url, protocols) as unknown as Cuttable);
  };
  return { WebSocket: WebSocket as unknown as WebSocketConstructor, end: () => last?.terminate() };
}

const quickly: ClientOptions = { firstDelay: 1, maxDelay: 20, connectTimeout: 20_000 };

export interface Reader {
  readonly socket: ReconnectingWebSocket;
  readonly client: MessageClient<typeof Messages, ReconnectingWebSocket>;
  /** The number that it has reached. */
  readonly reached: number;
  /** What it should not have seen: what came twice, was skipped, or was said to be missing although it is not. */
  readonly wrong: string[];
  /** How many numbers it was told that it lacks. */
  readonly missed: number;
}

/** Follows the log. Each number is the offset of its position, so a gap says exactly what is missing. */
export function follow(messages: typeof Messages, url: string, options: ClientOptions = {}): Reader {
  const socket = new ReconnectingWebSocket(url, messages.protocols, { ...quickly, ...options });
  const client = messageClient(messages, socket);
  const reader = { socket, client, reached: 0, wrong: [] as string[], missed: 0 };
  let isFirst = true;
  client.on("number", ({ number }, position) => {
    // Without a position before it, a new client begins wherever the log does.
    if (!isFirst && number !== reader.reached + 1) reader.wrong.push(`${number} after ${reader.reached}`);
    if (Number(position?.position.split(".")[1]) !== number || position?.topic !== "log")
      reader.wrong.push(`${number} at another position`);
    isFirst = false;
    reader.reached = number;
  });
  client.onGap(({ topic, position }) => {
    const reached = Number(position.split(".")[1]);
    if (topic !== "log" || reached <= reader.reached) reader.wrong.push(`a gap in ${topic} to ${reached} after ${reader.reached}`);
    reader.missed += reached - reader.reached;
    reader.reached = reached;
    isFirst = false;
  });
  client.onError(({ code, message }) => reader.wrong.push(`${code}: ${message}`));
  return reader;
}
