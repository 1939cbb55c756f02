/** The pages of docs/reference/, and what they lack. */
import { apiPage, lacks, pageName, placesOf } from "./api-pages.ts";
import { causes } from "./causes.ts";
import { wrongCodes } from "./codes.ts";
import { closesPage, endingsOf, statusesPage, wrongEndings } from "./endings-pages.ts";
import { errorsPage } from "./errors-page.ts";
import { entriesOf } from "./exports.ts";
import type { Entry } from "./exports.ts";
import { generated } from "./markdown.ts";
import { findMessages } from "./messages.ts";
import { codesByOption } from "./option-codes.ts";
import { openProgram } from "./program.ts";

export const folder = "docs/reference";

export interface Reference {
  /** By name in `folder`. */
  readonly pages: ReadonlyMap<string, string>;
  /** What has no entry, no description or no code, a line each. */
  readonly faults: readonly string[];
}

export function makeReference(root: string): Reference {
  using program = openProgram(root);
  const entries = entriesOf(root, program);
  const found = findMessages(program);
  const endings = endingsOf(program);
  const places = placesOf(entries);
  const codes = codesByOption(program, found.messages);
  const pages = new Map([
    ["README.md", indexPage(entries)],
    ...entries.map((entry) => [pageName(entry), apiPage(entry, places, codes)] as const),
    ["errors.md", errorsPage(found.messages, causes)],
    ["closes.md", closesPage(endings)],
    ["statuses.md", statusesPage(endings)],
  ]);
  return { pages, faults: [...lacks(entries), ...wrongCodes(found, causes), ...wrongEndings(endings)] };
}

function indexPage(entries: readonly Entry[]): string {
  const rows = entries.map((entry) => {
    const names = entry.exports.filter(({ kind }) => kind !== "type" && kind !== "interface").map(({ name }) => `\`${name}\``);
    return `| [${entry.name}](${pageName(entry)}) | ${names.join(", ")} |`;
  });
  return `# Reference

${generated}

| import | functions, classes and constants; the page has the types too |
|---|---|
${rows.join("\n")}

Options of a handler: [Options](edgewire.md#options). Hooks: [Hooks](edgewire.md#hooks). What \`observe\` gets: [Observer](edgewire.md#observer).

- [Error codes](errors.md): what \`[EW105]\` at the end of a message means, and what to do.
- [Close codes](closes.md): who sends which, and when.
- [Statuses](statuses.md): why a handshake was refused.
`;
}
