/** Shares the link to a room: with the device's share dialog, or copied, or shown to be copied by hand. */
import { find, say } from "./dom.ts";

const button = find("share", HTMLButtonElement);
const label = find("share-label", HTMLElement);
const dialog = find("share-dialog", HTMLDialogElement);
const field = find("share-link", HTMLInputElement);

export function onShare(link: () => string): void {
  button.addEventListener("click", () => void share(link()));
}

async function share(url: string): Promise<void> {
  const phone = matchMedia("(pointer: coarse)").matches;
  if (phone && "share" in navigator) return navigator.share({ url }).catch(() => {});
  try {
    await navigator.clipboard.writeText(url);
  } catch {
    // Not allowed, or not available: pages from http:// on another machine have no clipboard.
    field.value = url;
    dialog.showModal();
    field.select();
    return;
  }
  say("The link to this room was copied.");
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Share"), 2_000);
}
