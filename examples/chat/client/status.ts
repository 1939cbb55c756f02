/** The connection's status: always a word in the header, and a bar with details if something is wrong. */
import { find, say } from "./dom.ts";
import type { Status } from "./room.ts";

const badge = find("status", HTMLElement);
const bar = find("trouble", HTMLElement);
const barText = find("trouble-text", HTMLElement);
const retry = find("retry", HTMLButtonElement);
const change = find("change", HTMLButtonElement);

const words = { connecting: "Connecting", online: "Online", waiting: "Offline", refused: "Refused" } as const;
let countdown: ReturnType<typeof setInterval> | undefined;
let said = "";

export function onRetry(listener: () => void): void {
  retry.addEventListener("click", listener);
}

export function showStatus(status: Status, room: string): void {
  clearInterval(countdown);
  badge.dataset["state"] = status.state;
  badge.textContent = words[status.state];
  bar.dataset["state"] = status.state;
  // The bar stays visible between attempts: a flickering bar is worse than the wait.
  bar.hidden = status.state === "online" || (status.state === "connecting" && !status.again);
  // Disabled, not hidden: a focused button must not vanish when it is pressed.
  retry.disabled = status.state === "connecting";
  retry.hidden = status.state === "refused";
  change.hidden = status.state !== "refused";
  if (status.state === "connecting") barText.textContent = "Connecting again…";
  if (status.state === "refused") barText.textContent = `The server refused to let you in. ${status.reason}`;
  if (status.state === "waiting") {
    const tick = (): void => {
      const seconds = Math.max(0, Math.ceil((status.until - Date.now()) / 1_000));
      barText.textContent = `You are offline. Trying again in ${seconds} s.`;
    };
    tick();
    countdown = setInterval(tick, 250);
  }
  announce(status, room);
}

/** Announces each change once, but not the countdown, which a screen reader would read continuously. */
function announce(status: Status, room: string): void {
  if (status.state === "connecting") return;
  const text = {
    online: `You are online in ${room}.`,
    waiting: "The connection was lost. Trying again.",
    refused: "The server refused to let you in.",
  }[status.state];
  if (text !== said) say((said = text));
}

export function hideStatus(): void {
  clearInterval(countdown);
  said = "";
}
