/** What is wrong with the codes of messages. */
import type { Found, Message } from "./messages.ts";

/** Messages that nobody sees: they are caught where they are thrown, or are part of one that has a code. */
const unseen: Readonly<Record<string, string>> = {
  damaged: "src/delivery/client/cursors.ts",
  "the key does not match the certificate": "adapters/node/index.ts",
};

/** Messages that others have thrown, which have codes of their own. */
const passed: readonly string[] = [
  "src/messages/frame.ts: message",
  "src/rooms/calls/wire.ts: message",
  "adapters/workers/rooms.ts: message.replace(",
];

/** One kind of mistake: the message without who says it, and for an unknown option without which ones there are. */
function kindOf({ text }: Message): string {
  const kind = text.replace(/:$/, "").replace(/^(?:[a-zA-Z.]+(?:\(\))?|…): /, "");
  return kind.startsWith('unknown option "…"') ? 'unknown option "…"' : kind;
}

/** Says something without the parts that are computed. */
const speaks = /[a-z]{2}/i;

/** Codes whose messages tell of one mistake in several ways. */
const several: ReadonlySet<string> = new Set(["EW238", "EW333", "EW336", "EW413", "EW905"]);

export function wrongCodes({ messages, unknown }: Found, causes: Readonly<Record<string, unknown>>): readonly string[] {
  const seen = messages.filter(({ text, file }) => unseen[text] !== file);
  const codes = new Set(seen.map(({ code }) => code));
  return [
    ...unknown
      .filter((one) => !passed.some((known) => one.replace(/:\d+/, "").startsWith(known)))
      .map((one) => `${one}: can't be followed to a text`),
    ...seen.filter(({ code }) => code === undefined).map(({ file, line, text }) => `${file}:${line}: "${text}" has no code`),
    ...groups(seen, ({ code }) => code, kindOf).map((one) => `${one}: one code for different mistakes`),
    ...groups(seen, kindOf, ({ code }) => code).map((one) => `${one}: different codes for one mistake`),
    ...[...codes].filter((code) => code !== undefined && causes[code] === undefined).map((code) => `${code} has no cause and cure`),
    ...Object.keys(causes)
      .filter((code) => !codes.has(code))
      .map((code) => `${code} has a cause, but no message`),
  ];
}

/** Those of one group that differ in what must be the same. */
function groups(
  messages: readonly Message[],
  by: (one: Message) => string | undefined,
  same: (one: Message) => string | undefined,
): readonly string[] {
  const wrong = [...Map.groupBy(messages, by)].filter(([name, group]) => {
    const isTold = name !== undefined && !several.has(name) && (/^EW\d{3}$/.test(name) || speaks.test(name));
    return isTold && new Set(group.map(same)).size > 1;
  });
  return wrong.map(([name, group]) => `${name} (${Array.from(new Set(group.map(same)), String).join(" | ")})`);
}
