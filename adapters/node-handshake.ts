/**
 * Offers one handshake to the routes that match it. If the server has other `upgrade` listeners, the handshake may be theirs: a socket that
 * another listener has taken is never written to, and a socket that nobody takes is answered after a while.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isPromise } from "../src/errors.ts";
import { refuse, wantsWebSocket } from "../src/handshake.ts";
import { isResponse } from "../src/upgrade.ts";
import type { Ready } from "./host.ts";
import { isUnrouted } from "./mark.ts";
import { accept } from "./node-accept.ts";
import { NodeRequest, addressOf, answer } from "./node-http.ts";
import { candidatesFor } from "./node-routes.ts";
import type { Attachments, Candidate, Route } from "./node-routes.ts";
import { Footprint } from "./node-taken.ts";

/** A listener that watches the socket gets this many times as long to answer: it may be a proxy that waits for another server. */
const watchedTimes = 12;

export class Handshake {
  readonly #incoming: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #attached: Attachments;
  /** Undefined if the server has no other listeners. */
  readonly #footprint: Footprint | undefined;
  #candidates: readonly Candidate[] = [];
  /** The 404 of an app that has no such route. */
  #unrouted: Response | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Our listener for the end of the socket, if the server has other listeners. */
  #closed: (() => void) | undefined;

  constructor(incoming: IncomingMessage, socket: Duplex, head: Buffer, attached: Attachments, isShared: boolean) {
    this.#incoming = incoming;
    this.#socket = socket;
    this.#head = head;
    this.#attached = attached;
    if (!isShared) return;
    socket.once("close", (this.#closed = () => this.#over()));
    this.#footprint = new Footprint(socket);
  }

  offer(): void {
    try {
      const request = new NodeRequest(this.#incoming);
      this.#candidates = candidatesFor(this.#attached.routes, request);
      this.#ask(0, request);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param request each app gets its own, because it is marked. */
  #ask(index: number, request: NodeRequest = new NodeRequest(this.#incoming)): void {
    const candidate = this.#candidates[index];
    if (candidate !== undefined && this.#footprint !== undefined) this.#warn(candidate.route, this.#footprint);
    if (this.#isTaken) return this.#over();
    if (candidate === undefined) return this.#takenByNobody();
    const { route, params } = candidate;
    if (this.#isOthers(route, request)) return this.#ask(index + 1, request);
    const decided = (decision: Response | Ready): void => {
      if (this.#footprint !== undefined) this.#warn(route, this.#footprint);
      if (!isResponse(decision) || !route.isApp || !isUnrouted(decision) || this.#isTaken) return this.#carryOut(decision);
      void discard(this.#unrouted);
      this.#unrouted = decision;
      this.#ask(index + 1);
    };
    const decision = route.host.decide(request, addressOf(this.#incoming), { incoming: this.#incoming }, params);
    if (!isPromise(decision)) return decided(decision);
    // An app may return a thenable that settles twice.
    Promise.resolve(decision)
      .then(decided)
      .catch((error: unknown) => this.#failed(error));
  }

  #carryOut(decision: Response | Ready): void {
    const isRefusal = isResponse(decision);
    if (this.#isTaken) {
      if (isRefusal) void discard(decision);
      else decision.server.abandon(decision);
      return this.#over();
    }
    if (isRefusal) return this.#answer(decision);
    this.#forget();
    accept(decision, this.#incoming, this.#socket, this.#head, ignore);
  }

  get #isTaken(): boolean {
    return this.#footprint?.isTaken ?? !this.#socket.writable;
  }

  /** Whether a handler that takes every path should leave this handshake to the other listeners. */
  #isOthers({ pattern, isApp }: Route, request: NodeRequest): boolean {
    if (this.#footprint === undefined || isApp || pattern?.takesAll === false) return false;
    return this.#footprint.isWatched || !wantsWebSocket(request);
  }

  #takenByNobody(): void {
    if (this.#footprint === undefined) return this.#answer(this.#refusal);
    const longest = Math.max(0, ...this.#attached.routes.map(({ host }) => host.upgradeTimeout));
    this.#wait(longest, this.#footprint);
  }

  /** Every listener ignores handshakes that are not its own, so a socket that nobody takes would stay open for ever. */
  #wait(milliseconds: number, footprint: Footprint, again = false): void {
    const look = (): void => {
      if (footprint.isTaken) return this.#over();
      if (footprint.isWatched && !again) this.#wait(milliseconds * (watchedTimes - 1), footprint, true);
      else this.#answer(this.#refusal);
    };
    this.#timer = setTimeout(look, milliseconds).unref();
  }

  get #refusal(): Response {
    return this.#unrouted ?? refuse(404, "Not Found");
  }

  /** Another listener has the socket, or the client has gone. */
  #over(): void {
    clearTimeout(this.#timer);
    this.#forget();
    void discard(this.#unrouted);
  }

  /** The socket no longer needs to keep this handshake in memory. */
  #forget(): void {
    if (this.#closed !== undefined) this.#socket.off("close", this.#closed);
  }

  #failed(error: unknown): void {
    console.error("edgewire: fetch failed:", error);
    if (!this.#isTaken) this.#answer(refuse(500, "Internal Server Error"));
  }

  #answer(response: Response): void {
    try {
      answer(this.#incoming, this.#socket, response);
    } catch (error) {
      console.error("edgewire: a handshake could not be answered:", error);
      this.#socket.destroy();
    }
  }

  /** Warns, once, of a configuration in which two listeners would answer the same handshake. */
  #warn({ pattern, isApp }: Route, footprint: Footprint): void {
    if (isApp || pattern?.takesAll === true) return;
    if (pattern === undefined) this.#warnOnce(withoutPath);
    else if (footprint.isUsed)
      this.#warnOnce(`edgewire: attach: another "upgrade" listener of the server answers ${pattern.source}, ${alsoAttached}`);
  }

  #warnOnce(warning: string): void {
    if (this.#attached.warnings.has(warning)) return;
    this.#attached.warnings.add(warning);
    console.warn(warning);
  }
}

const withoutPath =
  'edgewire: attach: the server has other "upgrade" listeners, and a handler without `path` takes every handshake that they do not answer at once: give attach a `path` ("/*" for every path)';
const alsoAttached =
  "which is attached: give both different paths (a WebSocketServer of ws with `server` answers every path; with `noServer` only what it is given)";

/** Releases the body of a Response that is not sent. Never rejects. */
async function discard(response: Response | undefined): Promise<void> {
  try {
    await response?.body?.cancel();
  } catch {
    // The body is locked, or not a stream.
  }
}

export function ignore(): void {}
