/** What the tests see of the page, and call in it. */
import type { PresentState, SocketState } from "edgewire/react";
import type { messages } from "./messages.ts";

export interface Render {
  readonly status: string;
  readonly url?: string | undefined;
  readonly retryAt?: number | undefined;
  readonly latency?: number | undefined;
}

/** A call of any type. */
export interface AnyCall {
  readonly data?: unknown;
  readonly error: Error | undefined;
  readonly items?: readonly unknown[];
  readonly pending: boolean;
  run(...args: unknown[]): Promise<unknown>;
  cancel(): void;
}

export interface World {
  /** What each render of a socket was given, in order. */
  renders: Render[];
  /** What the hook under test returned last. */
  state: SocketState & { readonly client?: { send: unknown } | undefined };
  /** What `useRequest` and `useStream` returned last. */
  calls: Record<"echo" | "refuse" | "count", AnyCall>;
  /** What `usePresence` returned last. */
  people: PresentState<{ readonly typing: boolean }>;
  /** Instead of messages.ts's, as if that file had been edited. */
  definition: typeof messages | undefined;
  messages: typeof messages;
  /** Anything else that a component tells. */
  told: unknown[];
  /** Messages of errors that the error boundary caught. */
  caught: string[];
  mount(name: string, props: object): void;
  /** The same, with all effects when it returns. */
  mountNow(name: string, props: object): void;
  /** Puts what a server renders into the page, and hydrates it. Returns the HTML. */
  hydrate(name: string, props: object): string;
  unmount(): void;
  /** Mounts a socket to a server in memory, and says when it was opened and has echoed: what it sent, and how many connections there were. */
  inMemory(): Promise<readonly unknown[]>;
  /** What a promise came to: its value, or its error's code or name. */
  outcome(promise: Promise<unknown>): Promise<unknown>;
  /** Fast Refresh: the component's file was edited. */
  edit(name: string): void;
}

export const world = { renders: [], told: [], caught: [] } as unknown as World;
Object.assign(globalThis, { world });
