/** docs/reference/errors.md: every code, the messages that end with it, why, and what to do. */
import { generated } from "./markdown.ts";
import type { Message } from "./messages.ts";

type Causes = Readonly<Record<string, readonly [cause: string, cure: string]>>;

/** By the first digit. */
const chapters: Readonly<Record<string, string>> = {
  1: "Handlers and options",
  2: "Handshakes and connections",
  3: "Rooms, storage and calls",
  4: "Delivery and clusters",
  5: "Clients and messages",
  6: "Servers on Node, Bun and Deno",
  7: "Cloudflare",
  8: "edgewire/memory",
  9: "edgewire/sqlite",
};

export function errorsPage(messages: readonly Message[], causes: Causes): string {
  const codes = Object.keys(causes).toSorted();
  const parts = Object.entries(chapters).map(([digit, title]) => {
    const own = codes.filter((code) => code[2] === digit);
    return [`## ${title}`, ...own.map((code) => entryOf(code, messages, causes))].join("\n\n");
  });
  return ["# Error codes", generated, introduction, ...parts, ""].join("\n\n");
}

const introduction = `Every message of an error or a log line ends with a code, such as \`[EW105]\`. Search this page for it.
In the messages below, \`…\` stands for what changes. Close reasons and bodies of refusals have no codes: see [close codes](closes.md) and [statuses](statuses.md).`;

function entryOf(code: string, messages: readonly Message[], causes: Causes): string {
  const [cause, cure] = causes[code] ?? ["", ""];
  const own = messages.filter((one) => one.code === code);
  const texts = new Set(own.map(({ text }) => text.replace(/:$/, "")));
  const where = own.every(({ isLogged }) => isLogged) ? "Logged. " : "";
  return [`### ${code}`, ...Array.from(texts, (text) => `> ${quoted(text)}`), `${where}${cause}`, `**What to do:** ${cure}`].join("\n\n");
}

/** In backquotes, also if it has some. */
function quoted(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
