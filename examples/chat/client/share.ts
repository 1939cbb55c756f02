/** Shares the link to a room: with the device's share dialog, or copied, or shown to be copied by hand. */
import { find, say } from "./dom.ts";

const buttons = [
  [find("share", HTMLButtonElement), find("share-label", HTMLElement)],
  [find("invite", HTMLButtonElement), find("invite-label", HTMLElement)],
] as const;
const dialog = find("share-dialog", HTMLDialogElement);
const field = find("share-link", HTMLInputElement);

export function onShare(link: () => string): void {
  for (const [button, label] of buttons) button.addEventListener("click", () => void share(link(), label));
}

async function share(url: string, label: HTMLElement): Promise<void> {
  const phone = matchMedia("(pointer: coarse)").matches;
  if (phone && "share" in navigator) {
    const problem = await navigator.share({ url }).catch((error: Error) => error);
    if (problem === undefined || problem.name === "AbortError") return;
  }
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
  const text = label.dataset["text"] ?? label.textContent;
  label.dataset["text"] = text;
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = text), 2_000);
}
