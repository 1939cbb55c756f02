/** What the adapter needs of a client library. ioredis.ts and node-redis.ts have it. */
import type { Argument } from "./codec.ts";

/** Runs commands. */
export interface Commands {
  /** Why none can be sent now; undefined if they can. Nothing is sent then, so nothing piles up in the client. */
  readonly hindrance: string | undefined;
  /** Resolves to a bulk reply. @param key decides which node of a Redis cluster runs it. */
  run(key: string, command: readonly Argument[]): Promise<Uint8Array>;
  /** Waits until so many replicas have what this connection wrote. Resolves to how many have it. */
  wait(key: string, replicas: number, timeout: number): Promise<number>;
  info(section: string): Promise<string>;
}

/** Hears channels. */
export interface Subscriptions {
  readonly hindrance: string | undefined;
  /** Resolves when nothing is missed any more. May be repeated. */
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
}

/** What is heard. */
export interface Heard {
  message(channel: string, bytes: Uint8Array): void;
  /** Messages may have been lost. */
  cut(): void;
}

/** A client of either library, as it was given. */
export interface Connections {
  readonly commands: Commands;
  readonly subscriptions: Subscriptions;
  /** Ends what the adapter has created itself. */
  close(): Promise<void>;
}
