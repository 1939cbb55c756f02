/** Bun's server and its sockets, as far as they are used: Edgewire needs none of Bun's own types. */

/** Bun's ServerWebSocket, as far as it is used. */
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

/** What `Bun.serve` takes as `websocket`. */
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

/** What Bun's server has for topics. */
export interface Publisher {
  publish(topic: string, data: string | Uint8Array, compress: boolean): number;
}

/** What `Bun.serve` returns, as far as it is used. */
export interface NativeServer extends Publisher {
  /** Undefined on a Unix socket. */
  readonly port: number | undefined;
  upgrade(request: Request, options: { data: object; headers?: Headers }): boolean;
  requestIP(request: Request): { readonly address: string } | null;
  /** Those whose answer is not sent to the end. */
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
  /** Answers for a Response that can't be sent. */
  error(error: Error): Response;
}

/** No Response once the request is upgraded. */
export type Answer = Response | undefined | Promise<Response | undefined>;
