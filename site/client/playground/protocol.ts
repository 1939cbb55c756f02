/** What the page and the worker in its sandbox tell each other. */

/** The two clients, as the page names them. */
export type ClientName = "ada" | "grace";

/** What a client is made with. */
export type ClientKind = "websocket" | "reconnecting" | "delivery";

export type Command =
  | { readonly type: "run"; readonly code: string }
  | { readonly type: "connect"; readonly client: ClientName; readonly url: string; readonly kind: ClientKind }
  | { readonly type: "send"; readonly client: ClientName; readonly text: string }
  | { readonly type: "close"; readonly client: ClientName }
  | { readonly type: "cut"; readonly client: ClientName; readonly isOn: boolean }
  | { readonly type: "slow"; readonly client: ClientName; readonly isOn: boolean }
  | { readonly type: "hibernate" }
  | { readonly type: "restart" }
  | { readonly type: "choose"; readonly room: string }
  | { readonly type: "ping" };

/** What went wrong, and where in the handler if that is known: lines and columns count from 1. */
export interface Problem {
  readonly message: string;
  readonly isSyntax: boolean;
  readonly line?: number;
  readonly column?: number;
}

export type ClientStatus = "closed" | "connecting" | "open" | "waiting";

export type LineKind = "received" | "sent" | "event" | "trouble";

export type Report =
  | { readonly type: "ready" }
  | { readonly type: "pong" }
  | { readonly type: "started"; readonly hasDelivery: boolean }
  | { readonly type: "problem"; readonly problem: Problem }
  | { readonly type: "status"; readonly client: ClientName; readonly status: ClientStatus }
  | { readonly type: "line"; readonly client: ClientName; readonly kind: LineKind; readonly text: string }
  | { readonly type: "log"; readonly kind: "hook" | "console" | "server"; readonly text: string }
  | { readonly type: "view"; readonly view: View };

/** The state of one room. Values are text, as they are shown. */
export interface View {
  /** All rooms that have connections or keep something. */
  readonly rooms: readonly string[];
  readonly room: string;
  readonly connections: readonly ConnectionView[];
  readonly topics: readonly Row[];
  readonly presence: readonly Row[];
  readonly histories: readonly { readonly topic: string; readonly entries: readonly string[] }[];
  readonly values: readonly Row[];
  readonly due: readonly Due[];
  readonly stats: readonly Row[];
}

export type Row = readonly [name: string, value: string];

export interface ConnectionView {
  readonly id: string;
  readonly url: string;
  readonly state: string;
  readonly topics: readonly string[];
  /** With delivery: its client is away. */
  readonly isAway: boolean;
}

/** An alarm, or a scheduled call. */
export interface Due {
  readonly what: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}
