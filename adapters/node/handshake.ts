/**
 * Offers one handshake to the routes that match it. If the server has other `upgrade` listeners, the handshake may be theirs: a socket that
 * another listener has taken is never written to, and a socket that nobody takes is answered after a while.
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
import { Footprint } from "./http/taken.ts";
import { inTurn, readOn } from "./http/turn.ts";
import { discard, tooLate, withinTime } from "./http/wait.ts";

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

  /** Once earlier requests of the connection are answered. Nothing here may throw: it would end the process. */
  offer(): void {
    try {
      const request = new NodeRequest(this.#incoming);
      this.#candidates = candidatesFor(this.#attached.routes, request);
      if (this.#footprint?.isTaken === true) return this.#ask(0, request);
      this.#follow();
      const [first] = this.#candidates;
      inTurn(this.#socket, first?.route.host.upgradeTimeout ?? defaultUpgradeTimeout, (late) => this.#begin(late, request));
    } catch (error) {
      this.#failed(error);
    }
  }

  #begin(late: boolean, request: NodeRequest): void {
    try {
      if (late) this.#carryOut(tooLate());
      else this.#ask(0, request);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Until it is a connection or somebody else's, each route can close it. */
  #follow(): void {
    const isTold = this.#closed !== undefined;
    for (const { route } of this.#candidates) route.sockets.add(this.#socket, isTold);
  }

  #unfollow(): void {
    for (const { route } of this.#candidates) route.sockets.delete(this.#socket);
  }

  /** @param request each app gets its own, because it is marked. */
  #ask(index: number, request: NodeRequest = new NodeRequest(this.#incoming)): void {
    const candidate = this.#candidates[index];
    if (candidate !== undefined && this.#footprint !== undefined) this.#warn(candidate.route, this.#footprint);
    if (this.#isTaken) return this.#over();
    if (candidate === undefined) return this.#takenByNobody();
    const { route, params } = candidate;
    if (this.#isOthers(route, request)) return this.#ask(index + 1, request);
    const decided = (decision: Response | AcceptedHandshake): void => {
      if (this.#footprint !== undefined) this.#warn(route, this.#footprint);
      if (!isResponse(decision) || !route.isApp || !isUnrouted(decision) || this.#isTaken) return this.#carryOut(decision);
      void discard(this.#unrouted);
      this.#unrouted = decision;
      this.#ask(index + 1);
    };
    const decision = route.host.decide(request, addressOf(this.#incoming), { incoming: this.#incoming }, params);
    if (!isPromise(decision)) return decided(decision);
    withinTime(decision)
      .then(decided)
      .catch((error: unknown) => this.#failed(error));
  }

  #carryOut(decision: Response | AcceptedHandshake): void {
    const isRefusal = isResponse(decision);
    if (this.#isTaken) {
      if (isRefusal) void discard(decision);
      else decision.server.abandon(decision);
      return this.#over();
    }
    if (isRefusal) return this.#answer(decision);
    if (accept === undefined) return this.#load(decision);
    this.#forget();
    accept(decision, this.#incoming, this.#socket, this.#head, () => this.#opening());
  }

  /** From here on it is a connection. */
  #opening(): void {
    this.#unfollow();
    this.#socket.off("error", ignore);
    readOn(this.#socket);
  }

  /** It has come before ws was loaded, or ws is missing. */
  #load(ready: AcceptedHandshake): void {
    loadWs("attach")
      .then(
        () => this.#carryOut(ready),
        (error: unknown) => {
          ready.server.abandon(ready);
          this.#failed(error);
        },
      )
      .catch((error: unknown) => this.#failed(error));
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
    this.#unfollow();
    void discard(this.#unrouted);
    // Nobody else has it: an earlier response has announced the end of the connection.
    if (this.#footprint === undefined) endSocket(this.#socket);
  }

  /** The socket no longer needs to keep this handshake in memory. */
  #forget(): void {
    if (this.#closed !== undefined) this.#socket.off("close", this.#closed);
  }

  #failed(error: unknown): void {
    logError("fetch failed", error);
    if (!this.#isTaken) this.#answer(refuse(500, "Internal Server Error"));
  }

  #answer(response: Response): void {
    answer(this.#incoming, this.#socket, response);
  }

  /** Warns, once, of a configuration in which two listeners would answer the same handshake. */
  #warn({ pattern, isApp }: Route, footprint: Footprint): void {
    if (isApp || pattern?.takesAll === true) return;
    if (pattern === undefined) this.#warnOnce(withoutPath);
    else if (footprint.isUsed)
      this.#warnOnce(`attach: another "upgrade" listener of the server answers ${pattern.source}, ${alsoAttached}`);
  }

  #warnOnce(warning: string): void {
    if (this.#attached.warnings.has(warning)) return;
    this.#attached.warnings.add(warning);
    log("warn", warning);
  }
}

const withoutPath =
  'attach: the server has other "upgrade" listeners, and a handler without `path` takes every handshake that they do not answer at once: give attach a `path` ("/*" for every path)';
const alsoAttached =
  "which is attached: give both different paths (a WebSocketServer of ws with `server` answers every path; with `noServer` only what it is given)";

export function ignore(): void {}
