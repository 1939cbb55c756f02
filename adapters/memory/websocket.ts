/** `server.WebSocket`: a constructor that connects to the server in memory, for code that is given one. */
import { quoted } from "../../src/values/log.ts";
import { isToken, show, utf8Length } from "../../src/values/text.ts";
import type { Sendable } from "../../src/api/connection.ts";
import { selectedProtocol } from "../../src/server/runtime.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import { MemoryClient } from "./client.ts";
import { nextTask } from "./real.ts";
import type { Ended } from "./client.ts";
import type { Traffic } from "./traffic.ts";
import type { Wire } from "./wire.ts";

/** A WebSocket as a page has it, with what a MemoryClient has besides. `send` and `close` keep to the API's rules, as a browser does. */
export type MemoryWebSocket = MemoryClient;

/** Works like the global `WebSocket`. */
export interface MemoryWebSocketConstructor {
  /**
   * @param url absolute, or relative to `ws://localhost/`.
   * @throws SyntaxError (DOMException) for a URL or subprotocol that no WebSocket accepts.
   */
  new (url: string | URL, protocols?: string | readonly string[]): MemoryWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

/** Does the handshake. @param opened called in the turn in which the connection opens. Rejects if it is refused, and with what `opened` throws. */
type Connect = (wire: Wire, url: string, protocols: readonly string[], opened: (accepted: Accepted) => void) => Promise<void>;

export function createWebSocket(traffic: Traffic, connect: Connect): MemoryWebSocketConstructor {
  const open = async (wire: Wire, url: string, offered: readonly string[]): Promise<void> => {
    try {
      // As over a network, which takes a task at least: until then code that awaits something first can still listen to `open`.
      await traffic.during(nextTask());
      await connect(wire, url, offered, (accepted) => {
        // As the Fetch standard has it ("establish a WebSocket connection").
        if (offered.length > 0 && selectedProtocol(accepted) === "")
          throw new Error(
            `the server has chosen none of the subprotocols (${offered.join(", ")}): a browser ends such a connection [EW820]`,
          );
        wire.client.opened(accepted);
      });
    } catch (error) {
      wire.client.failed(error);
    }
  };
  return class WebSocket extends MemoryClient {
    constructor(given: string | URL, protocols: string | readonly string[] = []) {
      const url = addressOf(given);
      const offered = checkProtocols(typeof protocols === "string" ? [protocols] : protocols);
      super({ url, traffic, wired: (wire) => void open(wire, url, offered) });
    }

    /** @throws InvalidStateError (DOMException) while it is connecting. */
    override send(data: Sendable | Blob): void {
      // Whatever it is: a browser sends what is neither bytes nor a Blob as text.
      super.send(data instanceof Blob || ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data : String(data));
    }

    override close(code?: number, reason?: string): Promise<Ended> {
      const text = reason === undefined ? "" : String(reason).toWellFormed();
      checkClose(code, text);
      return text === "" ? super.close(code) : super.close(code ?? 1000, text);
    }
  } as unknown as MemoryWebSocketConstructor;
}

function addressOf(given: string | URL): string {
  const url = URL.canParse(String(given), "ws://localhost/") ? new URL(given, "ws://localhost/") : undefined;
  if (url !== undefined) url.protocol = url.protocol.replace(/^http/, "ws");
  if (url === undefined || !/^wss?:$/.test(url.protocol)) throw syntaxError(`the URL ${quoted(String(given))} must be ws: or wss [EW821]:`);
  if (url.href.includes("#")) throw syntaxError(`the URL ${quoted(url.href)} must have no fragment [EW822]`);
  return url.href;
}

function checkProtocols(protocols: readonly string[]): readonly string[] {
  const offered = Array.from(protocols, String);
  for (const one of offered) if (!isToken(one)) throw syntaxError(`${show(one)} can't be a subprotocol: it must be a token [EW823]`);
  if (new Set(offered).size < offered.length) throw syntaxError(`a subprotocol is offered twice: ${quoted(offered.join(", "))} [EW824]`);
  return offered;
}

function checkClose(code: number | undefined, reason: string): void {
  if (code !== undefined && !(Number.isInteger(code) && (code === 1000 || (code >= 3000 && code <= 4999)))) {
    throw new DOMException(`close code ${String(code)} can't be sent by a WebSocket: use 1000 or 3000-4999 [EW825]`, "InvalidAccessError");
  }
  if (utf8Length(reason) > 123) throw syntaxError(`close reason is ${utf8Length(reason)} bytes of UTF-8: at most 123 can be sent [EW826]`);
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, "SyntaxError");
}
