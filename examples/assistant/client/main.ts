/** The page: a conversation with the assistant. Whoever opens the same address, on this device or another, sees the same answers grow. */
import { DeliverySocket } from "edgewire/delivery/client";
import { messageClient } from "edgewire/messages";
import type { MessageError } from "edgewire/messages";
import { longestPrompt, messages } from "../messages.ts";
import { Conversation } from "./conversation.ts";
import { find } from "./dom.ts";
import { showStatus } from "./status.ts";

/** A question waits for a connection for as long as the page is open. */
const patience = 2 ** 31 - 1;

const form = find("ask", HTMLFormElement);
const prompt = find("prompt", HTMLTextAreaElement);
const problem = find("problem", HTMLElement);
prompt.maxLength = longestPrompt;

const name = new URLSearchParams(location.search).get("conversation") ?? random();
history.replaceState(null, "", `?conversation=${encodeURIComponent(name)}`);

const address = `${location.origin.replace(/^http/, "ws")}/ws?conversation=${encodeURIComponent(name)}`;
const socket = new DeliverySocket(address, messages.protocols);
const client = messageClient(messages, socket);
const conversation = new Conversation(find("conversation", HTMLOListElement), {
  onStop: (id) => client.send("cancel", { id }),
  onAgain: (id, text) => void ask(id, text),
});

client.on("asked", ({ id, prompt: text }) => {
  // In a new session all of it comes again. What has been read to its end need not.
  if (conversation.asked(id, text)) client.send("follow", { id });
});
client.on("part", ({ id, at, text }) => conversation.part(id, at, text));
client.on("done", ({ id, why }) => {
  if (!conversation.done(id, why)) return;
  client.send("leave", { id });
  // What grows is not read out, only that it is there.
  find("say", HTMLElement).textContent = why === "end" ? "The answer is complete." : "The answer was stopped.";
});
client.onGap(({ topic }) => conversation.gap(topic));
socket.addEventListener("status", () => showStatus(socket));
socket.addEventListener("close", ({ reason }) => {
  problem.textContent = reason === "" ? "The server ended the connection." : `The server ended the connection: ${reason}`;
});
showStatus(socket);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = prompt.value.trim();
  prompt.focus();
  if (text === "") return;
  prompt.value = "";
  void ask(random(), text);
});
prompt.addEventListener("keydown", (event) => {
  // While an input method is composing, Enter selects a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

/** Without a connection the question waits in the socket, and is shown as such until the server has it. */
async function ask(id: string, text: string): Promise<void> {
  problem.textContent = "";
  conversation.pending(id, text);
  try {
    await client.request("ask", { id, prompt: text }, { deadline: patience });
  } catch (error) {
    const { code, message } = error as MessageError;
    // The server has forgotten us, and nobody knows whether it has the question. It has a name, so it is asked once.
    if (code === "interrupted") return ask(id, text);
    conversation.refused(id, message);
  }
}

// The session ends with the page: otherwise the server would wait for it.
addEventListener("pagehide", () => socket.close());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

/** Whoever knows a conversation's name can read it. `crypto.randomUUID` is missing on pages that came over http: from another machine. */
function random(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
