/** Graceful shutdown: closes connections one after the other, lets their hooks finish, and sets a deadline for all of it. */
import { CloseCode, checkClose } from "../protocol/close.ts";
import type { Connection } from "../connection/connection.ts";
import { longestTimer } from "../time/time.ts";
import type { Schedule } from "../time/schedule.ts";
import type { Clock } from "../ports.ts";
import { flushWarnings } from "../values/log.ts";
import { retryReason } from "../protocol/text-ping.ts";

/** What `close` of a server takes. */
export interface CloseOptions {
  /** The close code. Default: 1001, after which clients reconnect. */
  readonly code?: number;
  /** Default: "". */
  readonly reason?: string;
  /**
   * Milliseconds over which the connections are closed, evenly, each at a random moment of its share, so that their clients do not
   * all reconnect at once. Until its turn, a connection is served as before. Default: 0.
   */
  readonly spread?: number;
  /** Milliseconds after which clients of "edgewire/client" are to reconnect, sent in the close's reason. Default: they decide. */
  readonly retry?: number;
  /** Milliseconds after which the rest is cut off: hooks that never settle, clients that never answer. Default: `spread` plus 10 000. */
  readonly deadline?: number;
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
  readonly spread: number;
  readonly deadline: number;
}

export const closeOptions: readonly string[] = ["code", "reason", "spread", "retry", "deadline"] satisfies (keyof CloseOptions)[];

/** @throws TypeError, RangeError with the option's name. */
export function resolveClose(options: CloseOptions = {}): Closing {
  for (const name of Object.keys(options)) {
    if (!closeOptions.includes(name))
      throw new TypeError(`close: unknown option "${name}": options are ${closeOptions.join(", ")} [EW105]`);
  }
  const { code = CloseCode.goingAway, retry } = options;
  if (retry !== undefined && options.reason !== undefined)
    throw new TypeError('close: "retry" is sent in the reason: give only one of "retry" and "reason" [EW234]');
  const reason = retry === undefined ? (options.reason ?? "") : retryReason(milliseconds("retry", retry));
  checkClose(code, reason);
  const spread = milliseconds("spread", options.spread ?? 0);
  const deadline = milliseconds("deadline", options.deadline ?? spread + 10_000);
  if (deadline < spread) throw new RangeError(`close: "deadline" (${deadline}) comes before the end of "spread" (${spread}) [EW235]`);
  return { code, reason, spread, deadline };
}

function milliseconds(name: string, value: number): number {
  if (typeof value !== "number" || !(value >= 0) || value > longestTimer) {
    throw new RangeError(`close: "${name}" is ${String(value)}: must be milliseconds, from 0 to ${longestTimer} [EW236]`);
  }
  return value;
}

/** What is needed of the server. */
export interface Closable<State, Env> {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly heartbeat: { stop(): void } | undefined;
  readonly sessions: { stop(): void } | undefined;
  readonly registry: { readonly shared: { stop(): void } | undefined } | undefined;
  /** Set once it closes: handshakes are refused from then on. */
  shutdown: Shutdown<State, Env> | undefined;
  /** Settles when all work that was given to `waitUntil` is done; undefined if there is none. */
  readonly background: Promise<void> | undefined;
  connections(): Iterable<Connection<State, Env>>;
  /** Refuses all handshakes that wait for an `upgrade` hook. */
  refuseHandshakes(): void;
}

/**
 * Refuses handshakes, closes every connection once its queued hooks have run, and settles when the last close hook has run and nothing that was
 * given to `waitUntil` is pending, or at the deadline. A second call waits for the first.
 */
export function closeServer<State, Env>(server: Closable<State, Env>, options?: CloseOptions): Promise<void> {
  if (server.shutdown === undefined) {
    server.shutdown = new Shutdown(server, resolveClose(options));
    server.refuseHandshakes();
    // Appointments would keep the process alive.
    void server.shutdown.done.then(() => {
      server.schedule.stop();
      server.heartbeat?.stop();
      server.sessions?.stop();
      server.registry?.shared?.stop();
      flushWarnings();
    });
  }
  return server.shutdown.done;
}

/** Milliseconds for the last close frames. */
const lastMoment = 100;

export class Shutdown<State, Env> {
  /** Settles when everything is over. Never rejects. */
  readonly done: Promise<void>;
  readonly #closing: Closing;
  readonly #clock: Clock;
  readonly #server: Pick<Closable<State, Env>, "background">;
  readonly #pending = new Map<Connection<State, Env>, Promise<void>>();
  /** The deadline has passed, or everything ended before it. */
  #over = false;

  constructor(server: Pick<Closable<State, Env>, "background" | "clock" | "connections">, closing: Closing) {
    this.#closing = closing;
    this.#clock = server.clock;
    this.#server = server;
    const connections = [...server.connections()];
    const share = closing.spread / connections.length;
    for (const [index, connection] of connections.entries()) this.add(connection, share * (index + Math.random()));
    this.done = this.#finish();
  }

  /** Also called for a connection whose handshake was accepted before the server began to close. */
  add(connection: Connection<State, Env>, delay = 0): void {
    const { code, reason } = this.#closing;
    // Nothing waits for it any longer: its close frame gets a moment.
    if (this.#over) {
      connection.close(code, reason);
      this.#clock.setTimeout(() => connection.release(), lastMoment);
      return;
    }
    const retired =
      delay < 1 ? connection.retire(code, reason) : this.#after(delay, connection).then(() => connection.retire(code, reason));
    const over = (): void => void this.#pending.delete(connection);
    this.#pending.set(connection, retired.then(over, over));
  }

  /** Waits for its turn, or for its end if that comes first. */
  async #after(delay: number, connection: Connection<State, Env>): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const timer = this.#clock.setTimeout(turn.resolve, delay);
    await Promise.race([turn.promise, connection.finished]);
    this.#clock.clearTimeout(timer);
  }

  async #finish(): Promise<void> {
    const settled = await this.#settled(this.#closing.deadline, () => this.#server.background);
    this.#over = true;
    if (settled) return;
    const { code, reason } = this.#closing;
    for (const connection of this.#pending.keys()) connection.close(code, reason);
    // The close frame gets a moment to go out.
    if (!(await this.#settled(lastMoment))) for (const connection of this.#pending.keys()) connection.release();
  }

  /** Whether every connection, and the background's work, is over by then. */
  async #settled(within: number, background: () => Promise<void> | undefined = () => undefined): Promise<boolean> {
    const late = Promise.withResolvers<true>();
    const timer = this.#clock.setTimeout(() => late.resolve(true), within);
    let isLate = false;
    const over = (): Promise<unknown> | undefined => {
      const work = background();
      return this.#pending.size === 0 ? work : Promise.all([...this.#pending.values(), work]);
    };
    for (let rest = over(); rest !== undefined && !isLate; rest = over()) isLate = (await Promise.race([rest, late.promise])) === true;
    this.#clock.clearTimeout(timer);
    return !isLate;
  }
}
