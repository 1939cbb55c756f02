/** Calls back when the network or the page comes back, if the runtime reports that, until a signal aborts. */
export function onWake(wake: () => void, until: { readonly signal: AbortSignal }): void {
  const { document } = globalThis as { document?: Partial<EventTarget> & { readonly hidden: boolean } };
  // Only browsers and their workers know whether they are online. Elsewhere the event never comes, or the method is missing.
  globalThis.addEventListener?.("online", wake, until);
  // Some libraries give React Native an incomplete `document`.
  document?.addEventListener?.("visibilitychange", () => document.hidden || wake(), until);
}
