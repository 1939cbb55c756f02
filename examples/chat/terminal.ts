/** `npm run chat -- --room lobby [--url ws://localhost:8787] [--name Ada]`: the chat in a terminal. A line is a message; Ctrl+D leaves. */
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { DeliverySocket } from "edgewire/delivery/client";
import { messageClient } from "edgewire/messages";
import type { MessageError } from "edgewire/messages";
import { messages, problemWith, tidy } from "./messages.ts";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
/** Milliseconds for which a line waits for a connection: for as long as the program runs. */
const patience = 2 ** 31 - 1;
/** Milliseconds for which what was said last is waited for at the end. */
const lastWait = 10_000;
const { room, url, name } = options();
const key = crypto.randomUUID();
const address = `${url}/ws/${encodeURIComponent(room)}?name=${encodeURIComponent(name)}&key=${key}`;
const socket = new DeliverySocket(address, messages.protocols);
const client = messageClient(messages, socket);
let me = "";

client.on("welcome", ({ you }) => (me = you.id));
let joined = false;
const people = client.presence("people");
people.on("join", ({ id, state }) => joined && id !== me && print(`${state.name} joined`));
people.on("leave", ({ state }) => print(`${state.name} left`));
people.on("change", () => {
  if (joined || !people.current) return;
  joined = true;
  print(`You are in ${room} with ${people.members.size - 1} others. A line is a message; Ctrl+D leaves.`);
});
client.on("said", ({ from, text }, position) => print(`${clock.format(position?.time)} ${from.name}: ${text}`));
client.onGap(() => print("(Some messages before this are no longer kept.)"));
client.on("showed", ({ from, media, data }) =>
  print(`${from.name} showed a picture (${media}, ${Math.ceil((data.length * 3) / 4000)} kB)`),
);
client.on("announced", ({ text }) => print(`* ${text}`));
socket.addEventListener("disconnect", () => print("The connection was lost. Trying again."));
socket.addEventListener("close", ({ code }) => code !== 1000 && fail(`The server ended the connection (${code}).`));
let failures = 0;
socket.addEventListener("retry", () => {
  if (failures++ === 0) console.error(`${url} does not let us in, or does not answer. Trying again; Ctrl+C to stop.`);
});
socket.addEventListener("status", () => {
  if (socket.status !== "open") return;
  failures = 0;
  // It was away, and others have come and left.
  if (joined) client.send("who");
});

const pending = new Set<Promise<void>>();
const leaving = new AbortController();
for await (const text of createInterface({ input: process.stdin })) {
  unprint(text);
  if (text.trim() === "") continue;
  if (socket.status !== "open") print(`(Waits to be sent) ${text}`);
  const sent = say(text).then(undefined, (error: Error) => console.error(`Not sent: ${text}: ${error.message}`));
  pending.add(sent);
  void sent.then(() => pending.delete(sent));
}
const timer = setTimeout(() => leaving.abort(new Error("the server does not answer")), lastWait);
await Promise.all(pending);
clearTimeout(timer);
socket.close(1000);

/** What is said without a connection is sent with the next one. If nobody knows whether it arrived, it is said again: the page shows it once. */
async function say(text: string, line: string = crypto.randomUUID()): Promise<void> {
  try {
    await client.request("say", { line, text }, { deadline: patience, signal: leaving.signal });
  } catch (error) {
    if ((error as Partial<MessageError>).code !== "interrupted") throw error;
    await say(text, line);
  }
}

function options(): { room: string; url: string; name: string } {
  try {
    const { values } = parseArgs({ options: { room: { type: "string" }, url: { type: "string" }, name: { type: "string" } } });
    const chosen = {
      room: tidy(values.room ?? ""),
      url: new URL(values.url ?? "ws://localhost:8787").href.replace(/\/$/, ""),
      name: tidy(values.name ?? process.env["USER"] ?? "Terminal"),
    };
    const problem = problemWith(chosen.name, chosen.room);
    return problem === undefined ? chosen : fail(problem);
  } catch (error) {
    return fail((error as Error).message);
  }
}

/** Removes control characters: what others write must not control the terminal. */
function print(line: string): void {
  // oxlint-disable-next-line no-control-regex
  console.log(stripVTControlCharacters(line).replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ""));
}

/** Removes what was typed from the screen: it comes back as everyone sees it, in its place. */
function unprint(text: string): void {
  if (!process.stdout.isTTY) return;
  const rows = Math.max(1, Math.ceil(text.length / (process.stdout.columns || 80)));
  process.stdout.write(`\u001b[${rows}A\u001b[J`);
}

function fail(message: string): never {
  console.error(`${message}\nUsage: npm run chat -- --room lobby [--url ws://localhost:8787] [--name Ada]`);
  process.exit(1);
}
