/** The pages of close codes and statuses, and what the source has of both. */
import * as is from "typescript/unstable/ast/is";
import type { CallExpression, Node } from "typescript/unstable/ast";
import { generated } from "./markdown.ts";
import { closes, statuses } from "./endings.ts";
import { textOf } from "./messages.ts";
import { nodesIn } from "./program.ts";
import type { File, Program } from "./program.ts";

export interface Endings {
  /** The reasons that Edgewire sends, by code. */
  readonly reasons: Map<number, Set<string>>;
  /** Bodies of refusals by status, with the cause that `observe.refused` gets. */
  readonly refusals: Map<number, Map<string, string>>;
}

export function endingsOf(program: Program): Endings {
  const codes = codesOf(program.files.get("src/protocol/close.ts"));
  const endings: Endings = { reasons: new Map(Array.from(codes.values(), (code) => [code, new Set<string>()])), refusals: new Map() };
  for (const { source } of program.files.values()) {
    for (const node of nodesIn(source)) {
      if (!is.isCallExpression(node)) continue;
      if (is.isIdentifier(node.expression) && node.expression.text === "refuse") addRefusal(endings, node);
      else addReason(endings, node, codes);
    }
  }
  return endings;
}

/** `refuse(status, body, headers, cause)`. */
function addRefusal({ refusals }: Endings, { arguments: [status, body, , cause] }: CallExpression): void {
  if (status === undefined || body === undefined || !is.isNumericLiteral(status)) return;
  const bodies = refusals.get(Number(status.text)) ?? new Map<string, string>();
  const text = literalOf(body);
  if (text !== undefined) bodies.set(text, (cause && literalOf(cause)) ?? status.text);
  refusals.set(Number(status.text), bodies);
}

/** `close(code, reason)`, and other methods that end a connection. */
function addReason(
  { reasons }: Endings,
  { expression, arguments: [code, reason] }: CallExpression,
  codes: ReadonlyMap<string, number>,
): void {
  if (code === undefined || reason === undefined || !is.isPropertyAccessExpression(expression)) return;
  const named = is.isPropertyAccessExpression(code) && /^CloseCode$/.test(code.expression.getText(code.getSourceFile()));
  const number = named
    ? codes.get(code.name.text)
    : is.isNumericLiteral(code) && /^\d{4}$/.test(code.text) && expression.name.text === "close"
      ? Number(code.text)
      : undefined;
  const text = literalOf(reason);
  if (number === undefined || text === undefined) return;
  reasons.set(number, new Set([...(reasons.get(number) ?? []), ...(text === "" ? [] : [text])]));
}

function literalOf(node: Node): string | undefined {
  if (is.isTemplateExpression(node)) return textOf(node);
  return is.isStringLiteral(node) || is.isNoSubstitutionTemplateLiteral(node) ? node.text : undefined;
}

/** The members of CloseCode. */
function codesOf(file: File | undefined): ReadonlyMap<string, number> {
  return new Map(Array.from(file?.source.text.matchAll(/^ {2}(\w+): (\d{4}),$/gm) ?? [], ([, name = "", code]) => [name, Number(code)]));
}

export function wrongEndings({ reasons, refusals }: Endings): readonly string[] {
  const differ = (what: string, found: Iterable<number>, described: object): readonly string[] => {
    const [has, should] = [new Set(found), new Set(Object.keys(described).map(Number))];
    return [
      ...[...has].filter((one) => !should.has(one)).map((one) => `${what} ${one} is not described`),
      ...[...should].filter((one) => !has.has(one)).map((one) => `${what} ${one} is described, but is not in the source`),
    ];
  };
  return [...differ("close code", reasons.keys(), closes), ...differ("status", refusals.keys(), statuses)];
}

export function closesPage({ reasons }: Endings): string {
  const rows = Object.entries(closes).map(([code, [who, when, then]]) => {
    const said = [...(reasons.get(Number(code)) ?? [])].map((one) => `"${one}"`).join(", ");
    return `| ${code} | ${who} | ${when} | ${said} | ${then} |`;
  });
  return `# Close codes

${generated}

Who sends a code, when, with which reasons of Edgewire's own, and what \`ReconnectingWebSocket\` does then unless you set \`finalCodes\`. Codes from 4000 to 4999 are yours.

| code | sent by | when | reasons | the client |
|---|---|---|---|---|
${rows.join("\n")}

A server that closes with \`retry\` sends the reason "retry in N ms".
`;
}

export function statusesPage({ refusals }: Endings): string {
  const parts = Object.entries(statuses).map(([status, [why, cure]]) => {
    const bodies = Array.from(refusals.get(Number(status)) ?? [], ([body, cause]) => `| ${body} | \`${cause}\` |`);
    const table = bodies.length === 0 ? "" : `\n| body | cause |\n|---|---|\n${bodies.join("\n")}\n`;
    return `## ${status}\n\n${why}\n\n**What to do:** ${cure}\n${table}`;
  });
  return `# Statuses of refused handshakes

${generated}

A refusal is text in one line. \`observe.refused\` gets its status and its cause, and \`stats().refused\` counts causes. A browser's page sees none of it: for it the connection ends with 1006.
A Response of your own hook has the cause \`upgrade\`.

${parts.join("\n")}`;
}
