/** Chooses the host class: in development, one that reports what keeps an object awake. */
import { WatchedHost } from "./watched-host.ts";
import { ObjectHost } from "../host.ts";

/** Declared only in this file: Workers have no `process`. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/**
 * wrangler replaces `process.env.NODE_ENV` with "development" for `wrangler dev`, and with "production" for `wrangler deploy`, whose bundle then
 * lacks the development code. Other bundlers may not replace it, and workerd has no `process` without nodejs_compat.
 */
export function hostClass(): typeof ObjectHost {
  try {
    if (process.env.NODE_ENV === "development") return WatchedHost;
  } catch {
    // Not replaced, and there is no `process`.
  }
  return ObjectHost;
}
