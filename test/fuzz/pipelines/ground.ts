/** What is known of a listener of test/fuzz/app before anything is sent to it. */
import { isCloudflare } from "../campaign.ts";
import { hasLimit, type pipelineLimits } from "../limits.ts";
import type { Served } from "../../support/runtimes.ts";

export const pipelineRuntimes = ["node", "attached", "hono", "bun", "deno", "workers", "durable"] as const satisfies readonly Served[];

export interface Ground {
  readonly runtime: Served;
  readonly on: string;
  /** The path at which it takes handshakes. */
  readonly path: string;
  /** Who answers a plain request: Edgewire by the application's `fetch`, an app, the application without Edgewire, or a handler, which refuses. */
  readonly http: "fetch" | "app" | "own" | "handler";
  /** Whose `upgrade` hook is asked. */
  readonly app: boolean;
  /** It may be full. */
  readonly few: boolean;
  /** Edgewire sends the answers, the platform's own aside. */
  readonly edgewire: boolean;
  /** What its platform does, whatever a library does. */
  has(limit: keyof typeof pipelineLimits): boolean;
}

export function groundOf(runtime: Served, on: string): Ground {
  const cloud = isCloudflare(runtime);
  const app = runtime === "hono" || on === "app" || on === "bare";
  const own = runtime === "attached" || (cloud && on !== "plain");
  const http = on === "plain" ? "handler" : own && !(app && cloud) ? "own" : app ? "app" : "fetch";
  return {
    runtime,
    on,
    path: app ? "/ws" : "/",
    http,
    app,
    few: on === "few",
    edgewire: on !== "bare" && !(cloud && app),
    has: (limit) => hasLimit(limit, runtime),
  };
}
