/**
 * One handshake of an HTTP server, offered to what is attached to it. Where the server has other `upgrade` listeners it may be anybody's: what
 * another has taken is never written to, and what nobody takes is answered in the end.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { isPromise } from "../src/errors.ts";
import { refuse, wantsWebSocket } from "../src/handshake.ts";
import { isResponse } from "../src/upgrade.ts";
import type { Host, Ready } from "./host.ts";
import { isUnrouted } from "./mark.ts";
import { accept } from "./node-accept.ts";
import { NodeRequest, addressOf, answer } from "./node-http.ts";
import type { Params, PathPattern } from "./node-path.ts";
import { Footprint } from "./node-taken.ts";

/** What is attached to a server. */
export interface Route {
  readonly host: Host;
  /** Undefined: every path. */
  readonly pattern: PathPattern | undefined;
  /** An app has routes of its own: its 404 leaves a handshake to others. */
  readonly isApp: boolean;
  /** It answers 503, unless another has been attached to the path meanwhile. */
  closing: boolean;
}

interface Attachments {
  readonly routes: readonly Route[];
  /** What has been said once. */
  readonly warnings: Set<string>;
}

interface Candidate {
  readonly route: Route;
  readonly params: Params;
}

/** A listener that watches a socket has longer to answer than one of which nothing is seen: a proxy waits for another server. */
const watchedTimes = 12;

export class Handshake {
  readonly #incoming: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #attached: Attachments;
  /** Undefined where nobody else listens. */
  readonly #footprint: Footprint | undefined;
  #candidates: readonly Candidate[] = [];
  /** What an app said that has no such route. */
  #unrouted: Response | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Where others listen: for what is theirs, too. */
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

  /** @param request a new one for each: an app marks its own. */
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
    // A promise of an app's own making may settle twice.
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

  /** Of a handler that takes every path: what others use the server for as well. */
  #isOthers({ pattern, isApp }: Route, request: NodeRequest): boolean {
    if (this.#footprint === undefined || isApp || pattern?.takesAll === false) return false;
    return this.#footprint.isWatched || !wantsWebSocket(request);
  }

  #takenByNobody(): void {
    if (this.#footprint === undefined) return this.#answer(this.#refusal);
    const longest = Math.max(0, ...this.#attached.routes.map(({ host }) => host.upgradeTimeout));
    this.#wait(longest, this.#footprint);
  }

  /** Whoever takes it has this long; each listener leaves alone what is not its own, and a socket that nobody answers would stay for ever. */
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

  /** It is somebody else's, or nobody's any more. */
  #over(): void {
    clearTimeout(this.#timer);
    this.#forget();
    void discard(this.#unrouted);
  }

  /** Whoever has it now need not keep this. */
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

  /** Of a configuration in which two would answer, once. */
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

/** What is closing answers only where nothing else does. */
function candidatesFor(routes: readonly Route[], request: NodeRequest): readonly Candidate[] {
  const found: Candidate[] = [];
  let pathname: string | undefined;
  for (const route of routes) {
    const { pattern } = route;
    const params = pattern === undefined ? {} : pattern.match((pathname ??= URL.parse(request.url)?.pathname ?? "/"));
    if (params !== undefined) found.push({ route, params });
  }
  const open = found.filter(({ route }) => !route.closing);
  return open.length > 0 ? open : found;
}

/** Lets go of what its body may hold. Never rejects. */
async function discard(response: Response | undefined): Promise<void> {
  try {
    await response?.body?.cancel();
  } catch {
    // Somebody reads it, or it is no stream.
  }
}

export function ignore(): void {}
