/** Structural types for the parts of Bun's API that the adapter uses, so that Edgewire does not depend on Bun's types. */

/** The part of Bun's ServerWebSocket that is used. */
export interface NativeSocket {
  readonly data: unknown;
  readonly readyState: number;
  binaryType?: "nodebuffer" | "arraybuffer" | "uint8array" | "blob";
  send(data: string | ArrayBuffer | Uint8Array, compress?: boolean): number;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  publish(topic: string, data: string | ArrayBuffer | Uint8Array, compress?: boolean): number;
  getBufferedAmount(): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(): number;
  pause(): void;
  resume(): void;
}

/** The option `websocket` of `Bun.serve`. */
export interface NativeHandlers {
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly closeOnBackpressureLimit: boolean;
  readonly idleTimeout: number;
  readonly sendPings: boolean;
  readonly perMessageDeflate: boolean;
  readonly publishToSelf: boolean;
  open(ws: NativeSocket): void;
  message(ws: NativeSocket, data: string | Uint8Array<ArrayBuffer>): void;
  drain(ws: NativeSocket): void;
  ping(ws: NativeSocket): void;
  pong(ws: NativeSocket): void;
  close(ws: NativeSocket, code: number, reason: string): void;
}

/** The part of Bun's server that publishes. */
export interface Publisher {
  publish(topic: string, data: string | Uint8Array, compress: boolean): number;
}

/** The part of the result of `Bun.serve` that is used. */
export interface NativeServer extends Publisher {
  /** Undefined on a Unix socket. */
  readonly port: number | undefined;
  upgrade(request: Request, options: { data: object; headers?: Headers }): boolean;
  requestIP(request: Request): { readonly address: string } | null;
  /** The number of requests whose answer is not fully sent. */
  readonly pendingRequests: number;
  stop(closeActiveConnections?: boolean): Promise<void>;
}

export interface NativeOptions {
  readonly port: number;
  readonly hostname: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly websocket: NativeHandlers;
  fetch(request: Request, server: NativeServer): Answer;
  readonly development: boolean;
  readonly reusePort: boolean;
  /** Creates the answer if `fetch` fails, or its Response can't be sent. */
  error(error: Error): Response;
}

/** Undefined if the request was upgraded. */
export type Answer = Response | undefined | Promise<Response | undefined>;
