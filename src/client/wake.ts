/** Calls back when the network or the page comes back, where the runtime tells of it, until a signal aborts. */
export function onWake(wake: () => void, until: { readonly signal: AbortSignal }): void {
  const { document } = globalThis as { document?: EventTarget & { readonly hidden: boolean } };
  // Only browsers, their workers included, know whether they are online. Elsewhere the event never comes, or the listener is none.
  globalThis.addEventListener?.("online", wake, until);
  document?.addEventListener("visibilitychange", () => document.hidden || wake(), until);
}
