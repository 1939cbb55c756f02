/**
 * The battery with React Native's globals, as far as they differ: a Node process that has lost what Hermes and React Native 0.81 have
 * not, and a WebSocket, Blob and AbortController that are as poor as theirs (facebook/react-native: Libraries/WebSocket, Libraries/Blob,
 * Libraries/Core/setUpXHR.js). The bundle that is its third argument has the client as Metro would give it: for an older language.
 */
import { once } from "node:events";
import { get } from "node:http";
import process from "node:process";
import type { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { WebSocket as Ws } from "ws";
import type { runAll } from "./battery.ts";

const [platform = "", server = "", bundle = ""] = process.argv.slice(2);
const globals = globalThis as unknown as Record<string, unknown>;
process.on("uncaughtException", () => {});

type Listener = (event: object) => void;

/** event-target-shim's, which is no global. */
class Target {
  #listeners: [string, Listener][] = [];
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }
  removeEventListener(type: string, listener: Listener): void {
    this.#listeners = this.#listeners.filter((one) => one[0] !== type || one[1] !== listener);
  }
  emit(type: string, fields: object = {}): void {
    for (const [name, listener] of this.#listeners) if (name === type) listener({ type, ...fields });
  }
}

class NativeBlob {
  readonly text: string;
  constructor(parts: unknown[] = []) {
    if (parts.some((part) => typeof part !== "string" && !(part instanceof NativeBlob))) throw new Error("not supported");
    this.text = parts.map((part) => (part instanceof NativeBlob ? part.text : part)).join("");
  }
  get size(): number {
    return Buffer.byteLength(this.text);
  }
}

class NativeWebSocket extends Target {
  readyState = 0;
  protocol: string | undefined;
  url: string;
  #socket: Ws | undefined;
  #binaryType: string | undefined;

  constructor(url: string, protocols?: string | string[], options?: object) {
    super();
    this.url = url;
    // The native module takes a string alone.
    if (typeof url !== "string" || options !== undefined) throw new Error("neither a string nor without options");
    // The native module is told later, and reports what is wrong as a failure.
    setTimeout(() => this.#connect(typeof protocols === "string" ? [protocols] : protocols));
  }
  get binaryType(): string | undefined {
    return this.#binaryType;
  }
  set binaryType(type: string | undefined) {
    if (type !== "blob" && type !== "arraybuffer") throw new Error("binaryType must be either 'blob' or 'arraybuffer'");
    this.#binaryType = type;
  }
  send(data: unknown): void {
    if (this.readyState === 0) throw new Error("INVALID_STATE_ERR");
    if (data instanceof NativeBlob) this.#socket?.send(Buffer.from(data.text));
    // Java's encoder writes "?" for what is no character.
    else if (typeof data === "string") this.#socket?.send(data.replace(/[\ud800-\udfff]/gu, "?"));
    else if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) this.#socket?.send(data as Uint8Array);
    else throw new Error("Unsupported data type");
  }
  close(code?: number, reason?: string): void {
    if (this.readyState > 1) return;
    this.readyState = 2;
    this.#socket?.close(typeof code === "number" ? code : 1000, typeof reason === "string" ? reason : "");
  }

  #connect(protocols: string[] | undefined): void {
    try {
      this.#socket = new Ws(this.url, protocols);
    } catch (error) {
      return this.#fail(error as Error);
    }
    if (this.readyState === 2) this.#socket.terminate();
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("open", () => {
      this.readyState = 1;
      this.protocol = this.#socket?.protocol;
      this.emit("open");
    });
    this.#socket.on("message", (data: Buffer, binary) => {
      const blob = this.#binaryType === "blob" ? new NativeBlob([data.toString("latin1")]) : Uint8Array.from(data).buffer;
      this.emit("message", { data: binary ? blob : data.toString() });
    });
    this.#socket.on("close", (code, reason) => this.#end(code, code === 1006 ? "Socket is closed." : String(reason)));
  }
  #fail(error: Error): void {
    if (this.readyState < 3) this.emit("error", { message: error.message });
    this.#end(1006, error.message);
  }
  #end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.emit("close", { code, reason });
  }
}

class NativeAbortController {
  signal = new NativeAbortSignal();
  abort(): void {
    if (this.signal.aborted) return;
    this.signal.aborted = true;
    this.signal.emit("abort");
  }
}
class NativeAbortSignal extends Target {
  aborted = false;
}

// oxlint-disable no-extend-native
Object.assign(String.prototype, { toWellFormed: undefined, isWellFormed: undefined });
const missing = ["Event", "EventTarget", "MessageEvent", "CloseEvent", "ErrorEvent", "CustomEvent", "DOMException", "TextDecoder"];
for (const name of [...missing, "structuredClone", "crypto", "SharedArrayBuffer", "BroadcastChannel", "MessageChannel", "ReadableStream"]) {
  delete globals[name];
}
Object.defineProperty(globals, "navigator", { value: { product: "ReactNative" } });
const given = { Blob: NativeBlob, WebSocket: NativeWebSocket, AbortController: NativeAbortController, AbortSignal: NativeAbortSignal };
// A library's idea of a document.
Object.assign(globals, given, { window: globals, document: {} });

// Node's would look for a TextDecoder.
globals["fetch"] = async (url: string) => ({ json: async () => json((await once(get(url), "response"))[0] as Readable) });

await import(bundle);
const run = globals["runAll"] as typeof runAll;
console.log(JSON.stringify(await run(server, platform)));
process.exit();
