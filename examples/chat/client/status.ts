/**
 * The connection's status: always a word in the header, and a bar with details if something is wrong. "Offline" is what the browser says of
 * itself; a server that does not answer may be down while everything else works.
 */
import { find, say } from "./dom.ts";
import type { Status } from "./room.ts";

const badge = find("status", HTMLElement);
const node = find("node", HTMLElement);
const bar = find("trouble", HTMLElement);
const barText = find("trouble-text", HTMLElement);
const retry = find("retry", HTMLButtonElement);
const change = find("change", HTMLButtonElement);

const words = { connecting: "Connecting", online: "Online", waiting: "Connecting", offline: "Offline", closed: "Closed" } as const;
let countdown: ReturnType<typeof setInterval> | undefined;
let said = "";
let showAgain = (): void => {};

// The browser's opinion changes in between.
for (const event of ["online", "offline"]) addEventListener(event, () => showAgain());

export function onRetry(listener: () => void): void {
  retry.addEventListener("click", listener);
}

export function showStatus(status: Status, room: string): void {
  showAgain = () => showStatus(status, room);
  const waits = status.state === "connecting" || status.state === "waiting";
  const state = waits && !navigator.onLine ? "offline" : status.state;
  badge.dataset["state"] = bar.dataset["state"] = state;
  badge.textContent = words[state];
  // The next connection may be to another node, which says its name.
  if (state !== "online") showNode("");
  // The bar stays visible between attempts: a flickering bar is worse than the wait.
  bar.hidden = status.state === "online" || (state === "connecting" && status.state === "connecting" && !status.again);
  // Disabled, not hidden: a focused button must not vanish when it is pressed.
  retry.disabled = status.state === "connecting";
  retry.hidden = status.state === "closed";
  change.hidden = status.state !== "closed";
  clearInterval(countdown);
  if (state === "offline") barText.textContent = "You are offline. The chat goes on when this device has a network again.";
  else if (status.state === "waiting") countDown(status.until);
  else if (status.state === "connecting") barText.textContent = "Connecting to the server…";
  else if (status.state === "closed") barText.textContent = `The server ended the connection. ${status.reason}`;
  announce(state, room);
}

function countDown(until: number): void {
  const tick = (): void => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1_000));
    barText.textContent = `Connecting to the server. The next attempt is in ${seconds} s.`;
  };
  tick();
  countdown = setInterval(tick, 250);
}

/** Announces each change once, but not the countdown, which a screen reader would read continuously. */
function announce(state: keyof typeof words, room: string): void {
  if (state === "connecting") return;
  const text = {
    online: `You are online in ${room}.`,
    waiting: "There is no connection. Connecting to the server.",
    offline: "You are offline.",
    closed: "The server ended the connection.",
  }[state];
  if (text !== said) say((said = text));
}

/** Where several nodes serve the chat: the one that this page is connected to. */
export function showNode(name: string): void {
  node.textContent = name;
  node.hidden = name === "";
}

export function hideStatus(): void {
  showNode("");
  showAgain = () => {};
  clearInterval(countdown);
  said = "";
}
