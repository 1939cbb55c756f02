/** A page for each entry of the package: every export with its signature and what its JSDoc says. */
import type { Doc, Entry, Exported, Member } from "./exports.ts";
import { codeBlock, generated, linkTo } from "./markdown.ts";

/** Interfaces whose members are looked up one by one, and so have a heading each. */
const lookedUp = /(?:Options|Events|Hooks|Settings)$|^(?:Heartbeat|Observer|Placement)$/;
/** Those whose optional members have defaults. */
const haveDefaults = /Options$|^(?:Heartbeat|HistorySettings)$/;

/** Where each export is described: in the first entry that has it. */
export type Places = ReadonlyMap<string, { readonly entry: Entry; readonly exported: Exported }>;

export function placesOf(entries: readonly Entry[]): Places {
  const places = new Map<string, { entry: Entry; exported: Exported }>();
  for (const entry of entries) {
    for (const exported of entry.exports) if (!places.has(keyOf(exported))) places.set(keyOf(exported), { entry, exported });
  }
  return places;
}

function keyOf({ file, name }: Exported): string {
  return `${file}#${name}`;
}

/** "edgewire/delivery/client": "delivery-client.md". */
export function pageName({ name }: Entry): string {
  return `${name.replace(/^edgewire\//, "").replaceAll("/", "-")}.md`;
}

export function apiPage(entry: Entry, places: Places, codesOf: (option: string) => readonly string[]): string {
  const own = entry.exports.filter((one) => places.get(keyOf(one))?.entry === entry);
  const others = entry.exports.filter((one) => !own.includes(one));
  const also = entry.aliases.map((name) => `\`${name}\``).join(", ");
  return [
    `# ${entry.name}`,
    generated,
    ...(also === "" ? [] : [`The same, in one file for a page: ${also}.`]),
    `Exports: ${entry.exports.map((one) => `[\`${one.name}\`](${addressOf(one, entry, places)})`).join(", ")}.`,
    ...own.map((one) => describe(one, own, codesOf)),
    ...(others.length === 0
      ? []
      : [`Described elsewhere: ${others.map((one) => `[\`${one.name}\`](${addressOf(one, entry, places)})`).join(", ")}.`]),
    "",
  ]
    .join("\n\n")
    .replaceAll("```ts\n", "```typescript\n");
}

function addressOf(exported: Exported, from: Entry, places: Places): string {
  const entry = places.get(keyOf(exported))?.entry ?? from;
  const own = entry.exports.filter((one) => places.get(keyOf(one))?.entry === entry);
  return `${entry === from ? "" : pageName(entry)}#${anchorOf(exported, own)}`;
}

/** A page's second heading that differs from the first in capitals alone has a number. */
function anchorOf({ name }: Exported, all: readonly Exported[]): string {
  const same = all.filter((one) => one.name.toLowerCase() === name.toLowerCase());
  const place = same.findIndex((one) => one.name === name);
  return place > 0 ? `${name.toLowerCase()}-${place}` : name.toLowerCase();
}

function describe(exported: Exported, all: readonly Exported[], codesOf: (option: string) => readonly string[]): string {
  const { name, signatures, doc } = exported;
  const shown = exported.members.filter((member) => ownerOf(member, exported, all) === exported);
  const inherited = new Set(exported.members.map((member) => ownerOf(member, exported, all)).filter((owner) => owner !== exported));
  const owners = [...inherited].map((owner) => `[\`${owner.name}\`](#${anchorOf(owner, all)})`);
  return [
    `## ${name}`,
    codeBlock(signatures.join("\n")),
    ...textOf(doc),
    ...(owners.length === 0 ? [] : [`It also has the members of ${owners.join(", ")}.`]),
    ...(haveDefaults.test(name) ? [defaultsOf(shown)] : []),
    ...shown.map((member) => (lookedUp.test(name) ? headed(member, name, codesOf) : listed(member))),
  ].join("\n\n");
}

/** Members of an interface that is not exported are described at the smallest export that has them. */
function ownerOf(member: Member, exported: Exported, all: readonly Exported[]): Exported {
  if (member.owner === exported.name) return exported;
  const named = all.find(({ name }) => name === member.owner);
  if (named !== undefined) return named;
  const having = all.filter(({ members }) => members.some((one) => one.owner === member.owner && one.name === member.name));
  return having.toSorted((one, two) => one.members.length - two.members.length)[0] ?? exported;
}

function defaultsOf(members: readonly Member[]): string {
  const rows = members.map((member) => {
    const type = member.signature
      .replace(/^readonly /, "")
      .replace(/^\w+\??: */, "")
      .replaceAll(/\s+/g, " ")
      .replace(/^ ?\| /, "")
      .replaceAll("|", "\\|");
    return `| ${member.name} | \`${type}\` | ${defaultOf(member.doc) ?? "required"} |`;
  });
  return ["| name | type | default |", "|---|---|---|", ...rows].join("\n");
}

function headed(member: Member, owner: string, codesOf: (option: string) => readonly string[]): string {
  const codes = haveDefaults.test(owner) ? codesOf(member.name) : [];
  const errors = codes.length === 0 ? [] : [`Errors: ${codes.map(linkTo).join(", ")}.`];
  return [`### ${owner}.${member.name}`, codeBlock(member.signature), ...textOf(member.doc), ...errors].join("\n\n");
}

function listed({ signature, doc }: Member): string {
  return [codeBlock(signature), ...textOf(doc)].join("\n\n");
}

/** What the JSDoc says after "Default:", up to the end of that sentence. */
export function defaultOf({ text }: Doc): string | undefined {
  return /\bDefault(?: and maximum)?:\s+((?:`[^`]*`|[^`])+?)(?:[.;:](?=\s|$)|$)/s.exec(text)?.[1]?.replaceAll(/\s+/g, " ");
}

/** What is missing: descriptions, and the default and the unit of each option. */
export function lacks(entries: readonly Entry[]): readonly string[] {
  const missing: string[] = [];
  for (const { entry, exported } of placesOf(entries).values()) {
    const at = `${entry.name}: ${exported.name}`;
    if (exported.doc.text === "") missing.push(`${at} has no description`);
    if (!lookedUp.test(exported.name)) continue;
    for (const member of exported.members) {
      if (member.doc.text === "") missing.push(`${at}.${member.name} has no description`);
      else if (haveDefaults.test(exported.name)) missing.push(...lacksOf(member).map((what) => `${at}.${member.name} ${what}`));
    }
  }
  return missing;
}

const units =
  /\b(?:bytes|[KM]iB|milliseconds|seconds?|messages|connections?|topics|items|requests|proxies|entries|replicas|names?|codes?|version|port|times|nodes)\b|%/i;

function lacksOf({ signature, isOptional, isFunction, doc }: Member): readonly string[] {
  const type = signature.split(/\?: /)[1] ?? "";
  const isNumber = /\bnumber\b/.test(type) && !type.includes("=>");
  return [
    ...(isOptional && !isFunction && defaultOf(doc) === undefined ? ["has no default"] : []),
    ...(isNumber && !units.test(`${doc.text} ${signature}`) ? ["has no unit"] : []),
  ];
}

function textOf({ text, tags }: Doc): readonly string[] {
  const lines = tags.flatMap(({ name, text: about }) => {
    if (about === "" || name === "internal") return [];
    if (name === "example") return [about.includes("```") ? about : codeBlock(about)];
    return [
      name === "throws"
        ? `Throws ${about}`
        : name === "returns"
          ? `Returns ${about}`
          : name === "param"
            ? `- ${parameterOf(about)}`
            : about,
    ];
  });
  return [...(text === "" ? [] : [text]), ...lines];
}

function parameterOf(about: string): string {
  const [, name = "", rest = ""] = /^(\S+)\s*(?:- )?([\s\S]*)$/.exec(about) ?? [];
  return `\`${name}\`: ${rest}`;
}
