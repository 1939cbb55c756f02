/** docs/reference/ is what the source says, and has everything: exports, options, hooks, events, codes of errors and closes, statuses. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { wrongCodes } from "../../scripts/reference/codes.ts";
import { defaultOf, lacks } from "../../scripts/reference/api-pages.ts";
import { wrongEndings } from "../../scripts/reference/endings-pages.ts";
import type { Entry } from "../../scripts/reference/exports.ts";
import type { Message } from "../../scripts/reference/messages.ts";
import { folder, makeReference } from "../../scripts/reference/pages.ts";
import { root } from "./pages.ts";

test("the pages are what `npm run reference` writes, and lack nothing", () => {
  const { pages, faults } = makeReference(root);
  expect(faults).toEqual([]);
  expect(readdirSync(join(root, folder)).toSorted()).toEqual([...pages.keys()].toSorted());
  for (const [name, text] of pages) expect(readFileSync(join(root, folder, name), "utf8"), `npm run reference: ${name}`).toBe(text);
});

const message = (text: string, code?: string): Message => ({ file: "a.ts", line: 1, text, code, isLogged: false, end: 0 });
const causes = { EW101: ["why", "what"], EW102: ["why", "what"] };

test.each<[string, readonly Message[], readonly string[]]>([
  ["an error without a code", [message("it broke")], ['a.ts:1: "it broke" has no code']],
  [
    "one code for two mistakes",
    [message("it broke", "EW101"), message("it is late", "EW101")],
    ["EW101 (it broke | it is late): one code for different mistakes"],
  ],
  [
    "two codes for one mistake",
    [message("serve: it broke", "EW101"), message("it broke", "EW102")],
    ["it broke (EW101 | EW102): different codes for one mistake"],
  ],
  ["a code that is not described", [message("it broke", "EW103")], ["EW103 has no cause and cure"]],
])("%s is a fault", (_, messages, faults) => {
  expect(wrongCodes({ messages, unknown: [] }, causes)).toEqual(expect.arrayContaining([...faults]));
});

test("a description without a message is a fault, and so is a message that can't be followed", () => {
  expect(wrongCodes({ messages: [message("it broke", "EW101")], unknown: ["a.ts:1: text()"] }, causes)).toEqual([
    "a.ts:1: text(): can't be followed to a text",
    "EW102 has a cause, but no message",
  ]);
});

test("a close code or status that is not described is a fault, and one that is not in the source", () => {
  const faults = wrongEndings({ reasons: new Map([[4999, new Set()]]), refusals: new Map([[418, new Map()]]) });
  expect(faults).toContain("close code 4999 is not described");
  expect(faults).toContain("close code 1000 is described, but is not in the source");
  expect(faults).toContain("status 418 is not described");
});

test("an option without a description, a default or a unit is a fault, and so is an export without a description", () => {
  const option = (name: string, type: string, text: string) => ({
    name,
    signature: `readonly ${name}?: ${type}`,
    isOptional: true,
    isFunction: false,
    owner: "Options",
    doc: { text, tags: [] },
  });
  const members = [option("bare", "string", ""), option("open", "string", "Its name."), option("long", "number", "How long. Default: 5.")];
  const exported = {
    name: "Options",
    kind: "interface",
    file: "a.ts",
    signatures: ["interface Options"],
    doc: { text: "", tags: [] },
    members,
  } as const;
  const entry: Entry = { name: "edgewire", aliases: [], exports: [exported] };
  expect(lacks([entry])).toEqual([
    "edgewire: Options has no description",
    "edgewire: Options.bare has no description",
    "edgewire: Options.open has no default",
    "edgewire: Options.long has no unit",
  ]);
});

test.each([
  ["Default: 1 MiB; at most 32 MiB.", "1 MiB"],
  ["Default and maximum: 512.", "512"],
  ["Default: `{ a: 1, b: 2 }`; each from 1.", "`{ a: 1, b: 2 }`"],
  ["Nothing.", undefined],
])("%s", (text, value) => {
  expect(defaultOf({ text, tags: [] })).toBe(value);
});
