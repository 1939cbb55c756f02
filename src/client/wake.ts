/** Calls back when the network or the page comes back, where the runtime tells of it, until a signal aborts. */
export function onWake(wake: () => void, until: { readonly signal: AbortSignal }): void {
  const { document } = globalThis as { document?: Partial<EventTarget> & { readonly hidden: boolean } };
  // Only browsers, their workers included, know whether they are online. Elsewhere the event never comes, or the method is missing.
  globalThis.addEventListener?.("online", wake, until);
  // Some libraries give React Native a `document` that is hardly one.
  document?.addEventListener?.("visibilitychange", () => document.hidden || wake(), until);
}
