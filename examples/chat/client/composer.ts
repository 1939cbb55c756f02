/** The form in which a message is written: text, a picture, or both. It keeps its content until it is sent, and its text across reloads. */
import { find, say } from "./dom.ts";
import { accept, prepare } from "./images.ts";

export interface ComposerEvents {
  /** Sends a message; returns false if that is not possible now. */
  send(content: string | Blob): boolean;
  /** The user has changed the text, and it is not empty. */
  onWriting(): void;
}

const form = find("composer", HTMLFormElement);
const text = find("text", HTMLTextAreaElement);
const button = find("send", HTMLButtonElement);
const picker = find("picker", HTMLInputElement);
const preview = find("preview", HTMLElement);
const thumbnail = find("thumbnail", HTMLImageElement);
const problem = find("composer-problem", HTMLElement);
const dropzone = find("dropzone", HTMLElement);

const nowhere: ComposerEvents = { send: () => false, onWriting: () => {} };
let events = nowhere;
let draftKey = "";
let picture: Blob | undefined;
picker.accept = accept;

export function openComposer(room: string, to: ComposerEvents): void {
  events = to;
  draftKey = `draft ${room}`;
  text.value = sessionStorage.getItem(draftKey) ?? "";
  setProblem("");
  changed();
  text.focus();
}

/** Discards the draft when the user leaves the room. */
export function closeComposer(): void {
  sessionStorage.removeItem(draftKey);
  events = nowhere;
  setPicture(undefined);
}

export function setProblem(message: string): void {
  problem.textContent = message;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const written = text.value.trim();
  if (written === "" && picture === undefined) return text.focus();
  setProblem("");
  if (picture !== undefined) {
    if (!events.send(picture)) return keep();
    setPicture(undefined);
  }
  if (written !== "") {
    if (!events.send(written)) return keep();
    text.value = "";
  }
  changed();
  text.focus();
});

function keep(): void {
  setProblem("You are not connected. What you wrote stays here.");
}

text.addEventListener("input", () => {
  changed();
  if (text.value.trim() !== "") events.onWriting();
});
text.addEventListener("keydown", (event) => {
  // While an input method is composing, Enter selects a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

/** Fits the field to its text, saves the draft, and enables the button if there is something to send. */
function changed(): void {
  if (!CSS.supports("field-sizing", "content")) {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }
  sessionStorage.setItem(draftKey, text.value);
  button.classList.toggle("ready", text.value.trim() !== "" || picture !== undefined);
}

find("add-picture", HTMLButtonElement).addEventListener("click", () => picker.click());
find("remove-picture", HTMLButtonElement).addEventListener("click", () => {
  setPicture(undefined);
  text.focus();
});
picker.addEventListener("change", () => {
  void take(picker.files);
  picker.value = "";
});
text.addEventListener("paste", (event) => {
  if (event.clipboardData === null || event.clipboardData.files.length === 0) return;
  event.preventDefault();
  void take(event.clipboardData.files);
});

// The whole window accepts drops: after a near miss the browser must not open the file instead of the page.
let depth = 0;
const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
const showDropzone = (show: boolean): void => void (dropzone.hidden = !show || form.closest("[hidden]") !== null);
addEventListener("dragenter", (event) => hasFiles(event) && showDropzone(++depth > 0));
addEventListener("dragleave", (event) => hasFiles(event) && showDropzone(--depth > 0));
addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  showDropzone((depth = 0) > 0);
  if (form.closest("[hidden]") === null) void take(event.dataTransfer?.files ?? null);
});

async function take(files: FileList | null): Promise<void> {
  const file = files?.[0];
  if (file === undefined) return;
  setProblem("");
  say("Preparing the picture…");
  form.setAttribute("aria-busy", "true");
  try {
    setPicture(await prepare(file));
    say("The picture is ready to be sent.");
  } catch (error) {
    setProblem(error instanceof Error ? error.message : String(error));
  } finally {
    form.removeAttribute("aria-busy");
    text.focus();
  }
}

function setPicture(next: Blob | undefined): void {
  URL.revokeObjectURL(thumbnail.src);
  picture = next;
  preview.hidden = next === undefined;
  if (next === undefined) thumbnail.removeAttribute("src");
  else thumbnail.src = URL.createObjectURL(next);
  find("picture-size", HTMLElement).textContent = next === undefined ? "" : `${Math.max(1, Math.round(next.size / 1000))} kB`;
  changed();
}
