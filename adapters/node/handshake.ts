/**
 * Offers one handshake to the routes that match it. If the server has other `upgrade` listeners, the handshake may be theirs. We never write to a
 * socket that another listener has claimed. A socket that nobody claims is answered after a while.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isPromise } from "../../src/values/promise.ts";
import { log, logError } from "../../src/values/log.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { wantsWebSocket } from "../../src/protocol/handshake.ts";
import { defaultUpgradeTimeout } from "../shared/mounted-handlers.ts";
import type { AcceptedHandshake } from "../shared/pending-upgrade.ts";
import { isUnrouted } from "../shared/pending-upgrade.ts";
import { answer } from "./http/answer.ts";
import { NodeRequest, addressOf } from "./http/request.ts";
import { accept, loadWs } from "./load.ts";
import { candidatesFor } from "./routes.ts";
import type { Attachments, Candidate, Route } from "./routes.ts";
import { endSocket } from "./http/sockets.ts";
import { ClaimDetector } from "./http/claim.ts";
import { afterEarlierResponses, resumeReading } from "./http/pipelining.ts";
import { discard, tooLate, withinTime } from "./http/wait.ts";

/** A listener that watches the socket gets this many times longer to answer: it may be a proxy that waits for another server. */
const watchedTimes = 12;

export class Handshake {
  readonly #incoming: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #attached: Attachments;
  /** Undefined if the server has no other `upgrade` listeners. */
  readonly #claims: ClaimDetector | undefined;
  #candidates: readonly Candidate[] = [];
  /** The 404 of an app that has no route for this path. */
  #unrouted: Response | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Our `close` listener, if the server has other `upgrade` listeners. */
  #closed: (() => void) | undefined;
  /** The socket is ours for longer than this call: we listen to its errors, and our server's close ends it. */
  #kept = false;

  constructor(incoming: IncomingMessage, socket: Duplex, head: Buffer, attached: Attachments, isShared: boolean) {
    this.#incoming = incoming;
    this.#socket = socket;
    this.#head = head;
    this.#attached = attached;
    if (!isShared) return;
    // Without an `error` listener a reset would end the process, whoever claims the socket.
    socket.on("error", ignore);
    socket.once("close", (this.#closed = () => this.#finish()));
    this.#claims = new ClaimDetector(socket);
  }

  /** Waits until earlier requests on the connection are answered. Must not throw: an error would end the process. */
  offer(): void {
    try {
      const request = new NodeRequest(this.#incoming);
      this.#candidates = candidatesFor(this.#attached.routes, request);
      if (this.#claims?.isClaimed === true) return this.#ask(0, request);
      // Most handshakes become a connection in this call.
      if (this.#claims !== undefined) this.#keep();
      const [first] = this.#candidates;
      let begun = false;
      afterEarlierResponses(this.#socket, first?.route.handlers.upgradeTimeout ?? defaultUpgradeTimeout, (late) => {
        begun = true;
        this.#start(late, request);
      });
      if (!begun) this.#keep();
    } catch (error) {
      this.#failed(error);
    }
  }

  #start(late: boolean, request: NodeRequest): void {
    try {
      if (late) this.#carryOut(tooLate());
      else this.#ask(0, request);
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * For a socket that is not a connection yet when the call ends: a reset must not end the process, and each matching route may close it, until it
   * becomes a connection or another listener claims it.
   */
  #keep(): void {
    if (this.#kept) return;
    this.#kept = true;
    if (this.#claims === undefined) this.#socket.on("error", ignore);
    const hasCloseListener = this.#closed !== undefined;
    for (const { route } of this.#candidates) route.sockets.add(this.#socket, hasCloseListener);
  }

  #untrack(): void {
    if (!this.#kept) return;
    for (const { route } of this.#candidates) route.sockets.delete(this.#socket);
  }

  /** @param request each app gets its own, because the pending upgrade is stored on it. */
  #ask(index: number, request: NodeRequest = new NodeRequest(this.#incoming)): void {
    const candidate = this.#candidates[index];
    if (candidate !== undefined && this.#claims !== undefined) this.#warn(candidate.route, this.#claims);
    if (this.#isClaimed) return this.#finish();
    if (candidate === undefined) return this.#unclaimed();
    const { route, params } = candidate;
    if (this.#belongsToOthers(route, request)) return this.#ask(index + 1, request);
    const decided = (decision: Response | AcceptedHandshake): void => {
      if (this.#claims !== undefined) this.#warn(route, this.#claims);
      if (!isResponse(decision) || !route.isApp || !isUnrouted(decision) || this.#isClaimed) return this.#carryOut(decision);
      void discard(this.#unrouted);
      this.#unrouted = decision;
      this.#ask(index + 1);
    };
    const decision = route.handlers.decide(request, addressOf(this.#incoming), { incoming: this.#incoming }, params);
    if (!isPromise(decision)) return decided(decision);
    this.#keep();
    withinTime(decision)
      .then(decided)
      .catch((error: unknown) => this.#failed(error));
  }

  #carryOut(decision: Response | AcceptedHandshake): void {
    const isRefusal = isResponse(decision);
    if (this.#isClaimed) {
      if (isRefusal) void discard(decision);
      else decision.server.abandon(decision);
      return this.#finish();
    }
    if (isRefusal) return this.#answer(decision);
    if (accept === undefined) return this.#load(decision);
    this.#removeCloseListener();
    accept(decision, this.#incoming, this.#socket, this.#head, () => this.#opening());
  }

  #opening(): void {
    this.#untrack();
    if (this.#kept) this.#socket.off("error", ignore);
    resumeReading(this.#socket);
  }

  /** The handshake came before ws was loaded, or ws is not installed. */
  #load(accepted: AcceptedHandshake): void {
    this.#keep();
    loadWs("attach")
      .then(
        () => this.#carryOut(accepted),
        (error: unknown) => {
          accepted.server.abandon(accepted);
          this.#failed(error);
        },
      )
      .catch((error: unknown) => this.#failed(error));
  }

  get #isClaimed(): boolean {
    return this.#claims?.isClaimed ?? !this.#socket.writable;
  }

  /** Whether a handler without `path` should leave this handshake to the other listeners. */
  #belongsToOthers({ pattern, isApp }: Route, request: NodeRequest): boolean {
    if (this.#claims === undefined || isApp || pattern?.takesAll === false) return false;
    return this.#claims.isWatched || !wantsWebSocket(request);
  }

  #unclaimed(): void {
    if (this.#claims === undefined) return this.#answer(this.#refusal);
    const longest = Math.max(0, ...this.#attached.routes.map(({ handlers }) => handlers.upgradeTimeout));
    this.#wait(longest, this.#claims);
  }

  /** Listeners ignore handshakes that are not theirs, so a socket that nobody claims would stay open forever. */
  #wait(milliseconds: number, claims: ClaimDetector, again = false): void {
    const check = (): void => {
      if (claims.isClaimed) return this.#finish();
      if (claims.isWatched && !again) this.#wait(milliseconds * (watchedTimes - 1), claims, true);
      else this.#answer(this.#refusal);
    };
    this.#timer = setTimeout(check, milliseconds).unref();
  }

  get #refusal(): Response {
    return this.#unrouted ?? refuse(404, "Not Found");
  }

  /** Another listener has claimed the socket, or the client has left. */
  #finish(): void {
    clearTimeout(this.#timer);
    this.#removeCloseListener();
    this.#untrack();
    void discard(this.#unrouted);
    // No other listener can have the socket: an earlier response has announced the end of the connection.
    if (this.#claims !== undefined) return;
    endSocket(this.#socket);
  }

  /** Removes our listener, so that the socket does not keep this handshake in memory. */
  #removeCloseListener(): void {
    if (this.#closed !== undefined) this.#socket.off("close", this.#closed);
  }

  #failed(error: unknown): void {
    logError("fetch failed [EW604]", error);
    if (!this.#isClaimed) this.#answer(refuse(500, "Internal Server Error"));
  }

  #answer(response: Response): void {
    this.#keep();
    answer(this.#incoming, this.#socket, response);
  }

  /** Warns once about a configuration in which two listeners would answer the same handshake. */
  #warn({ pattern, isApp }: Route, claims: ClaimDetector): void {
    if (isApp || pattern?.takesAll === true) return;
    if (pattern === undefined) this.#warnOnce(withoutPath);
    else if (claims.isUsed)
      this.#warnOnce(`attach: another "upgrade" listener of the server answers ${pattern.source}, ${alsoAttached} [EW612]`);
  }

  #warnOnce(warning: string): void {
    if (this.#attached.warnings.has(warning)) return;
    this.#attached.warnings.add(warning);
    log("warn", warning);
  }
}

const withoutPath =
  'attach: the server has other "upgrade" listeners, and a handler without `path` takes every handshake that they do not answer immediately: give attach a `path` ("/*" for every path) [EW613]';
const alsoAttached =
  "which is attached here too: give them different paths (a WebSocketServer of ws with `server` answers every path; with `noServer` only what it is given)";

export function ignore(): void {}
