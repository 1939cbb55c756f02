/** The routes attached to an HTTP server, and which of them match a handshake. */
import { log } from "../../src/values/log.ts";
import type { RequestHead } from "../../src/protocol/request.ts";
import type { MountedHandlers } from "../shared/mounted-handlers.ts";
import { PathPattern } from "./path.ts";
import type { Params } from "./path.ts";
import type { Sockets } from "./http/sockets.ts";

/** An attached handler or app. */
export interface Route {
  readonly handlers: MountedHandlers;
  /** Undefined: every path. */
  readonly pattern: PathPattern | undefined;
  /** An app has its own routes: if it answers 404, the next route gets the handshake. */
  readonly isApp: boolean;
  /** While it closes, it answers 503, unless another route has been attached to the same path. */
  closing: boolean;
  /** Sockets of pending and refused handshakes. */
  readonly sockets: Sockets;
}

export interface Attachments {
  readonly routes: readonly Route[];
  /** Warnings that were already printed. */
  readonly warnings: Set<string>;
}

export interface Candidate {
  readonly route: Route;
  readonly params: Params;
}

/** The matching routes, in the order in which they were attached. Closing routes count only if no other route matches. */
export function candidatesFor(routes: readonly Route[], { url }: RequestHead): readonly Candidate[] {
  // Under `serve` there is just one.
  const [only] = routes;
  if (routes.length === 1 && only !== undefined && only.pattern === undefined) return [{ route: only, params: {} }];
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
 * If two routes match a path, the one attached first gets it. Warns if a new route overlaps an earlier one.
 * @throws Error if an earlier route matches every path of the new one, which would then never run.
 */
export function checkOverlap(routes: readonly Route[], { pattern, isApp }: Pick<Route, "pattern" | "isApp">): void {
  const wanted = pattern ?? everyPath;
  for (const earlier of routes) {
    if (earlier.closing || earlier.isApp) continue;
    const taken = earlier.pattern ?? everyPath;
    if (taken.covers(wanted)) {
      throw new Error(
        `attach: ${what(earlier.pattern)} is attached to this server already, and matches every path of ${what(pattern)}: ${advice} [EW622]`,
      );
    }
    // Specific paths before general ones are the usual order: no warning.
    if (isApp || !taken.overlaps(wanted) || (pattern !== undefined && pattern.covers(taken))) continue;
    log("warn", `attach: ${what(earlier.pattern)} and ${what(pattern)} match the same paths, which the first one takes: ${advice} [EW623]`);
  }
}

const advice = 'give each its own `path` ("/*" for all remaining paths)';

function what(pattern: PathPattern | undefined): string {
  return pattern === undefined ? "a handler without `path`" : `"${pattern.source}"`;
}
