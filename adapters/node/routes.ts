/** The routes of an HTTP server: what is attached to it, and which of them a handshake matches. */
import { log } from "../../src/values/log.ts";
import type { RequestHead } from "../../src/protocol/request.ts";
import type { MountedHandlers } from "../shared/mounted-handlers.ts";
import { PathPattern } from "./path.ts";
import type { Params } from "./path.ts";
import type { Sockets } from "./http/sockets.ts";

/** A handler or an app that is attached. */
export interface Route {
  readonly host: MountedHandlers;
  /** Undefined: every path. */
  readonly pattern: PathPattern | undefined;
  /** An app has routes of its own: its 404 leaves a handshake to others. */
  readonly isApp: boolean;
  /** It answers 503, unless another has been attached to the path meanwhile. */
  closing: boolean;
  /** Of handshakes that are not connections: not yet, or refused. */
  readonly sockets: Sockets;
}

export interface Attachments {
  readonly routes: readonly Route[];
  /** Warnings that have been printed. */
  readonly warnings: Set<string>;
}

export interface Candidate {
  readonly route: Route;
  readonly params: Params;
}

/** The routes that match, in the order in which they were attached. Those that are closing count only if no other matches. */
export function candidatesFor(routes: readonly Route[], { url }: RequestHead): readonly Candidate[] {
  const found: Candidate[] = [];
  let pathname: string | undefined;
  for (const route of routes) {
    const { pattern } = route;
    const params = pattern === undefined ? {} : pattern.match((pathname ??= URL.parse(url)?.pathname ?? "/"));
    if (params !== undefined) found.push({ route, params });
  }
  const open = found.filter(({ route }) => !route.closing);
  return open.length > 0 ? open : found;
}

const everyPath = new PathPattern("/*");

/**
 * Of two routes that match a path, the one that was attached first gets it. Warns if a new route overlaps an earlier one.
 * @throws Error if an earlier route matches every path of the new one.
 */
export function checkOverlap(routes: readonly Route[], { pattern, isApp }: Pick<Route, "pattern" | "isApp">): void {
  const wanted = pattern ?? everyPath;
  for (const earlier of routes) {
    if (earlier.closing || earlier.isApp) continue;
    const taken = earlier.pattern ?? everyPath;
    if (taken.covers(wanted)) {
      throw new Error(
        `attach: ${what(earlier.pattern)} is attached to this server already, and matches every path of ${what(pattern)}: ${advice}`,
      );
    }
    // Special paths before general ones are the usual order.
    if (isApp || !taken.overlaps(wanted) || (pattern !== undefined && pattern.covers(taken))) continue;
    log("warn", `attach: ${what(earlier.pattern)} and ${what(pattern)} match the same paths, which the first one takes: ${advice}`);
  }
}

const advice = 'give each a `path` of its own ("/*" for all that is left)';

function what(pattern: PathPattern | undefined): string {
  return pattern === undefined ? "a handler without `path`" : `"${pattern.source}"`;
}
