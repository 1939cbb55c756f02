/** The connection's status, as a word in the header. "Offline" is what the browser says of itself. */
import type { DeliverySocket } from "edgewire/delivery/client";
import { find } from "./dom.ts";

const badge = find("status", HTMLElement);
let showAgain = (): void => {};

for (const event of ["online", "offline"]) addEventListener(event, () => showAgain());

export function showStatus(socket: Pick<DeliverySocket, "status">): void {
  showAgain = () => showStatus(socket);
  const { status } = socket;
  const word = status === "open" ? "Online" : status === "closed" ? "Closed" : navigator.onLine ? "Connecting" : "Offline";
  badge.dataset["state"] = word.toLowerCase();
  badge.textContent = word;
}
