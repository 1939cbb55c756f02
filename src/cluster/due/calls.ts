/** Calls that wait in a room's queue on the backplane. Whoever calls gets the answer by mail, from the server that has run the call. */
import { randomEpoch } from "../../history/random.ts";
import type { Clock } from "../../ports.ts";
import { described, refused } from "../../rooms/calls/wire.ts";
import type { CallAnswer, CallRequest } from "../../rooms/calls/wire.ts";
import { SmallMap } from "../../values/small-map.ts";
import { BackplaneError } from "../error.ts";
import type { Task } from "../tasks.ts";
import type { Post } from "../rooms/post.ts";

/** Milliseconds: the caller's own deadline comes first. */
const margin = 20;

/** What a caller is told. */
interface Given {
  readonly answer?: CallAnswer;
  /** The backplane could not be asked. */
  readonly error?: unknown;
  /** Its deadline has passed. */
  readonly isLate: boolean;
  /** Some server has begun to run it. */
  readonly begun: boolean;
}

interface Waiting {
  readonly room: string;
  readonly give: (given: Given) => void;
  readonly timer: unknown;
  /** By `Clock.elapsed`. */
  readonly due: number;
  begun: boolean;
}

/** What a call's server tells the caller's. */
interface CallMail {
  readonly id: string;
  /** Undefined: it begins. */
  readonly answer?: CallAnswer;
}

/** What is needed of the server. */
export interface CallsHost {
  readonly clock: Clock;
  readonly post: Post;
  readonly server: string;
}

export class CallsElsewhere {
  readonly #host: CallsHost;
  readonly #waiting = new Map<string, Waiting>();
  readonly #counts = new SmallMap<number>();

  constructor(host: CallsHost) {
    this.#host = host;
    host.post.on("call", (mail) => this.answered(mail as CallMail));
  }

  waitingIn(room: string): number {
    return this.#counts.get(room) ?? 0;
  }

  /** Somebody waits for it, until its deadline. */
  wait(room: string, request: CallRequest): { readonly id: string; readonly body: string; readonly answer: Promise<Given> } {
    const { clock, server } = this.#host;
    const id = randomEpoch() + randomEpoch();
    const deadline = request[3];
    const { promise, resolve } = Promise.withResolvers<Given>();
    const timer = clock.setTimeout(() => this.#give(id, { isLate: true }), deadline);
    this.#waiting.set(id, { room, give: resolve, timer, due: clock.elapsed() + deadline, begun: false });
    this.#counts.set(room, this.waitingIn(room) + 1);
    return { id, body: JSON.stringify([server, request]), answer: promise };
  }

  /** Mail for a caller of this server. */
  answered({ id, answer }: CallMail): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    waiting.begun = true;
    if (answer !== undefined) this.#give(id, { answer });
  }

  failed(id: string, error: unknown): void {
    this.#give(id, { error });
  }

  /** This server runs it. No request if its caller is of this server, and no longer waits. */
  begin(id: string, body: string): { readonly request: CallRequest | undefined; readonly answer: (answer: CallAnswer) => void } {
    const [caller, request] = JSON.parse(body) as [string, CallRequest];
    const answer = (given: CallAnswer): void => this.#tell(caller, { id, answer: given });
    if (caller !== this.#host.server) {
      this.#tell(caller, { id });
      return { request, answer };
    }
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return { request: undefined, answer };
    waiting.begun = true;
    const [name, args, chain] = request;
    return { request: [name, args, chain, Math.max(1, waiting.due - this.#host.clock.elapsed()) + margin], answer };
  }

  /** The server that ran it has died. */
  interrupted(room: string, { id, body }: Task): void {
    const [caller, [name]] = JSON.parse(body) as [string, CallRequest];
    const text = `${described(name, room)}: the server that ran it has died: it may have done a part, or all [EW443]`;
    this.#tell(caller, { id, answer: refused("interrupted", text) });
  }

  stop(): void {
    for (const id of this.#waiting.keys()) this.#give(id, { error: new BackplaneError("the server is closed [EW433]") });
  }

  #tell(caller: string, mail: CallMail): void {
    if (caller === this.#host.server) this.answered(mail);
    else this.#host.post.send(caller, "call", mail);
  }

  #give(id: string, given: Partial<Given>): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#host.clock.clearTimeout(waiting.timer);
    const count = this.waitingIn(waiting.room) - 1;
    if (count > 0) this.#counts.set(waiting.room, count);
    else this.#counts.delete(waiting.room);
    waiting.give({ isLate: false, begun: waiting.begun, ...given });
  }
}

/** Nobody has answered in time. */
export function lateAnswer(what: string, begun: boolean, deadline: number): CallAnswer {
  const text = begun ? `not answered within ${deadline} ms: it has begun, and may still finish` : `did not begin within ${deadline} ms`;
  return refused("deadline", `${what}: ${text} [EW336]`);
}

/** @param most calls that may wait. */
export function busyAnswer(what: string, most: number): CallAnswer {
  return refused("busy", `${what}: ${most} calls already wait in the room [EW335]`);
}
