/** Whether what keeps an object awake is looked for. */
import { WatchedHost } from "./awake.ts";
import { ObjectHost } from "../host.ts";

/** In this file alone: Workers have no `process`. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/**
 * What wrangler puts for `process.env.NODE_ENV` when it bundles is "development" for `wrangler dev`, and "production" for `wrangler deploy`,
 * whose bundle then has nothing of it. No other bundler has to: workerd has no `process` without nodejs_compat.
 */
export function hostClass(): typeof ObjectHost {
  try {
    if (process.env.NODE_ENV === "development") return WatchedHost;
  } catch {
    // Neither replaced nor there.
  }
  return ObjectHost;
}
