/**
 * The messages of all errors and log lines, and their codes. A message is followed from where it is thrown or logged to the texts that it is made of:
 * through constants, conditions, what functions return, and the parameters of functions that are given it.
 */
import { SyntaxKind } from "typescript/unstable/ast";
import type { CallExpression, Expression, Node, TemplateExpression } from "typescript/unstable/ast";
import * as is from "typescript/unstable/ast/is";
import { SymbolFlags } from "typescript/unstable/sync";
import { lineOf, nodesIn } from "./program.ts";
import type { File, Program } from "./program.ts";

export interface Message {
  readonly file: string;
  readonly line: number;
  /** Without its code; what is computed is `…`. */
  readonly text: string;
  readonly code: string | undefined;
  readonly isLogged: boolean;
  /** Where its text ends in the file, before the quote. */
  readonly end: number;
}

export interface Found {
  readonly messages: readonly Message[];
  /** What could not be followed to a text, as `file:line: expression`. */
  readonly unknown: readonly string[];
}

/** At a message's end. In a log line a colon and the error may follow. */
const codeAtEnd = / \[(EW\d{3})\](?=:?$)/;

/** What shows a message, and which of its arguments the message is. */
const errors: readonly Shows[] = [
  [/^(?:MessageError|refused)$/, 1],
  [/(?:Error|Exception)$/, 0],
];
const logs: readonly Shows[] = [
  [/^(?:logError|console\.\w+)$/, 0],
  [/^(?:log|warn)$/, 1],
];
type Shows = readonly [name: RegExp, argument: number];

export function findMessages(program: Program, isOpen: (template: string) => boolean = () => true): Found {
  const finder = new Finder(program, isOpen);
  for (const file of program.files.values()) {
    for (const node of nodesIn(file.source)) finder.visit(file, node);
  }
  finder.followParameters();
  return { messages: [...finder.messages.values()].toSorted(byPlace), unknown: [...finder.unknown] };
}

function byPlace(one: Message, two: Message): number {
  return one.file === two.file ? one.end - two.end : one.file < two.file ? -1 : 1;
}

class Finder {
  readonly messages: Map<string, Message> = new Map();
  readonly unknown: Set<string> = new Set();
  readonly #program: Program;
  readonly #isOpen: (template: string) => boolean;
  readonly #calls: { readonly file: File; readonly call: CallExpression }[] = [];
  /** Parameters that are a message, by their function: `file@position`. */
  readonly #given: Map<string, { readonly name: string; readonly number: number; readonly isLogged: boolean }[]> = new Map();
  readonly #followed: Set<string> = new Set();

  constructor(program: Program, isOpen: (template: string) => boolean) {
    this.#program = program;
    this.#isOpen = isOpen;
  }

  visit(file: File, node: Node): void {
    if (is.isCallExpression(node)) this.#calls.push({ file, call: node });
    if (!is.isCallExpression(node) && !is.isNewExpression(node)) return;
    const callee = node.expression.getText(file.source);
    const isLogged = is.isCallExpression(node) && callee !== "refused";
    const number = (isLogged ? logs : errors).find(([name]) => name.test(callee))?.[1];
    // A `warn` of another library takes the message alone.
    const message = number === undefined ? undefined : (node.arguments?.[number] ?? (callee === "warn" ? node.arguments?.[0] : undefined));
    if (message !== undefined) this.#follow(file, message, isLogged);
  }

  /** Calls of functions whose parameter is a message; their arguments may be parameters again. */
  followParameters(): void {
    for (let before = -1; before !== this.#given.size;) {
      before = this.#given.size;
      for (const { file, call } of this.#calls) this.#followArguments(file, call);
    }
  }

  #followArguments(file: File, call: CallExpression): void {
    const name = nameOf(call.expression)?.getText(file.source);
    const isKnown = [...this.#given.values()].some((all) => all.some((one) => one.name === name));
    if (!isKnown) return;
    const declared = this.#declarationOf(file, call.expression);
    for (const { number, isLogged } of this.#given.get(declared?.key ?? "") ?? []) {
      const given = call.arguments[number];
      if (given !== undefined && !this.#followed.has(keyOf(file, given))) this.#follow(file, given, isLogged);
    }
  }

  #follow(file: File, given: Expression, isLogged: boolean): void {
    this.#followed.add(keyOf(file, given));
    const expression = bare(given);
    const parts = partsOf(expression);
    if (parts !== undefined) return parts.forEach((part) => this.#follow(file, part, isLogged));
    const end = expression.getEnd() - 1;
    if (is.isStringLiteral(expression) || is.isNoSubstitutionTemplateLiteral(expression))
      this.#add(file, expression, expression.text, end, isLogged);
    else if (is.isTemplateExpression(expression)) this.#followTemplate(file, expression, end, isLogged);
    else if (!isOfAnother(expression, file) && !isStringOf(expression, file) && !this.#followName(file, expression, isLogged))
      this.unknown.add(`${file.path}:${lineOf(file, expression)}: ${expression.getText(file.source)}`);
  }

  /** One that ends with something computed may end with a text that has a code. */
  #followTemplate(file: File, template: TemplateExpression, end: number, isLogged: boolean): void {
    const last = template.templateSpans.at(-1);
    const isPassing = /^:?$/.test(last?.literal.text ?? "") && this.#isOpen(textOf(template));
    const passed =
      last !== undefined && isPassing && (isOfAnother(last.expression, file) || this.#followName(file, bare(last.expression), isLogged));
    if (!passed)
      this.#add(
        file,
        template,
        textOf(template, (part) => this.#constantOf(file, part)),
        end,
        isLogged,
      );
  }

  #add(file: File, node: Node, whole: string, end: number, isLogged: boolean): void {
    if (whole === "") return;
    const code = codeAtEnd.exec(whole)?.[1];
    const message = { file: file.path, line: lineOf(file, node), text: whole.replace(codeAtEnd, ""), code, isLogged, end };
    this.messages.set(`${file.path}@${end}`, message);
  }

  /** The text of a constant. */
  #constantOf(file: File, expression: Expression): string | undefined {
    const node = is.isIdentifier(expression) ? this.#declarationOf(file, expression)?.node : undefined;
    const initializer = node !== undefined && is.isVariableDeclaration(node) ? node.initializer : undefined;
    return initializer !== undefined && is.isStringLiteral(initializer) ? initializer.text : undefined;
  }

  /** Whether it is the name of a text, a parameter, or a function that returns texts. */
  #followName(file: File, expression: Expression, isLogged: boolean): boolean {
    if (!is.isIdentifier(expression) && !is.isCallExpression(expression)) return false;
    const declared = this.#declarationOf(file, is.isCallExpression(expression) ? expression.expression : expression);
    if (declared === undefined) return false;
    const { file: other, node } = declared;
    if (is.isParameterDeclaration(node)) return this.#followParameter(other, node, isLogged);
    if (is.isCallExpression(expression)) return this.#followReturns(other, node, isLogged);
    if (!is.isVariableDeclaration(node) || node.initializer === undefined) return false;
    this.#follow(other, node.initializer, isLogged);
    return true;
  }

  #followParameter(file: File, parameter: Node, isLogged: boolean): boolean {
    const owner = parameter.parent;
    const named = is.isArrowFunction(owner) || is.isFunctionExpression(owner) ? owner.parent : owner;
    const name = (named as { readonly name?: Node }).name?.getText(file.source);
    if (!is.isFunctionLikeDeclaration(owner) || name === undefined) return false;
    const number = owner.parameters.findIndex((one) => one.pos === parameter.pos);
    const key = keyOf(file, named);
    const all = this.#given.get(key) ?? [];
    if (!all.some((one) => one.number === number)) this.#given.set(key, [...all, { name, number, isLogged }]);
    return true;
  }

  #followReturns(file: File, declaration: Node, isLogged: boolean): boolean {
    const made = is.isVariableDeclaration(declaration) ? declaration.initializer : declaration;
    if (made === undefined || !is.isFunctionLikeDeclaration(made) || made.body === undefined) return false;
    if (!is.isBlock(made.body)) this.#follow(file, made.body, isLogged);
    else {
      for (const node of nodesIn(made.body)) {
        if (is.isReturnStatement(node) && node.expression !== undefined) this.#follow(file, node.expression, isLogged);
      }
    }
    return true;
  }

  #declarationOf(file: File, expression: Node): { readonly file: File; readonly node: Node; readonly key: string } | undefined {
    const name = nameOf(expression);
    const { checker } = file.project;
    const symbol = name === undefined ? undefined : checker.getSymbolAtLocation(name);
    const real = symbol !== undefined && symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const handle = real?.valueDeclaration ?? real?.declarations[0];
    const node = handle?.resolve(file.project);
    const other = this.#program.fileAt(handle?.path);
    return node === undefined || other === undefined ? undefined : { file: other, node, key: keyOf(other, node) };
  }
}

function keyOf(file: File, node: Node): string {
  return `${file.path}@${node.pos}`;
}

/** The message of another error, which has a code of its own if it is Edgewire's. */
function isOfAnother(expression: Expression, file: File): boolean {
  return is.isPropertyAccessExpression(expression) && expression.name.getText(file.source) === "message";
}

function isStringOf(expression: Expression, file: File): boolean {
  const text = expression.getText(file.source);
  return text === "undefined" || text.startsWith("String(");
}

/** The name that is called or read. */
function nameOf(expression: Node): Node | undefined {
  if (is.isIdentifier(expression)) return expression;
  return is.isPropertyAccessExpression(expression) ? expression.name : undefined;
}

function bare(expression: Expression): Expression {
  const isWrapped = is.isParenthesizedExpression(expression) || is.isAsExpression(expression) || is.isNonNullExpression(expression);
  return isWrapped ? bare(expression.expression) : expression;
}

/** The expressions of which one is the message, or is its end. */
function partsOf(expression: Expression): readonly Expression[] | undefined {
  if (is.isConditionalExpression(expression)) return [expression.whenTrue, expression.whenFalse];
  if (!is.isBinaryExpression(expression)) return undefined;
  const { left, operatorToken, right } = expression;
  if (operatorToken.kind === SyntaxKind.PlusToken || operatorToken.kind === SyntaxKind.AmpersandAmpersandToken) return [right];
  return operatorToken.kind === SyntaxKind.QuestionQuestionToken || operatorToken.kind === SyntaxKind.BarBarToken
    ? [left, right]
    : undefined;
}

/** A template with `…` for what is computed. */
export function textOf(
  { head, templateSpans }: TemplateExpression,
  known: (part: Expression) => string | undefined = () => undefined,
): string {
  return head.text + templateSpans.map(({ expression, literal }) => `${known(expression) ?? "…"}${literal.text}`).join("");
}
