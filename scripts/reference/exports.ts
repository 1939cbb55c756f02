/** What each entry of the package exports: signatures and JSDoc, as the declarations have them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as is from "typescript/unstable/ast/is";
import { SyntaxKind } from "typescript/unstable/ast";
import type { Node } from "typescript/unstable/ast";
import { SymbolFlags } from "typescript/unstable/sync";
import type { Checker, Symbol as TypeSymbol } from "typescript/unstable/sync";
import type { File, Program } from "./program.ts";

export interface Entry {
  /** As it is imported: "edgewire/node". */
  readonly name: string;
  /** Other names of the same module, such as the bundle for pages. */
  readonly aliases: readonly string[];
  readonly exports: readonly Exported[];
}

export interface Doc {
  readonly text: string;
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

export interface Exported {
  readonly name: string;
  readonly kind: "function" | "class" | "interface" | "type" | "constant";
  /** The file of its declaration; also says which exports are the same one. */
  readonly file: string;
  readonly signatures: readonly string[];
  readonly doc: Doc;
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly signature: string;
  readonly isOptional: boolean;
  readonly isFunction: boolean;
  /** Which interface or class declares it. */
  readonly owner: string;
  readonly doc: Doc;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types?: string }>>;
}

/** In the order of package.json. */
export function entriesOf(root: string, program: Program): readonly Entry[] {
  const { name: packageName, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  const named = Object.entries(exports).flatMap(([key, target]) => {
    const types = typeof target === "string" ? undefined : target.types;
    return types === undefined
      ? []
      : [{ name: key.replace(".", packageName), file: types.replace(/^\.\/dist\//, "").replace(/\.d\.ts$/, ".ts") }];
  });
  const groups = Map.groupBy(named, ({ file }) => file);
  return Array.from(groups, ([path, [first, ...others]]) => {
    const file = program.files.get(path) ?? program.files.get(`${path}x`);
    if (file === undefined || first === undefined) throw new Error(`${path}, of package.json's exports, is in no project`);
    return { name: first.name, aliases: others.map(({ name }) => name), exports: exportsOf(program, file) };
  });
}

function exportsOf(program: Program, file: File): readonly Exported[] {
  const { checker } = file.project;
  const module = checker.getSymbolAtLocation(file.source);
  const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
  return symbols.map((symbol) => new Reader(program, file, symbol).read()).toSorted((one, two) => (one.name < two.name ? -1 : 1));
}

/** Reads one export. */
class Reader {
  readonly #program: Program;
  readonly #from: File;
  readonly #checker: Checker;
  readonly #name: string;
  readonly #symbol: TypeSymbol;

  constructor(program: Program, from: File, symbol: TypeSymbol) {
    this.#program = program;
    this.#from = from;
    this.#checker = from.project.checker;
    this.#name = symbol.name;
    this.#symbol = symbol.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  read(): Exported {
    const declarations = this.#symbol.declarations.map((handle) => handle.resolve(this.#from.project)).filter((node) => node !== undefined);
    const [first] = declarations;
    if (first === undefined) throw new Error(`${this.#name} has no declaration`);
    const kind = kindOf(first);
    const hasMembers = kind === "interface" || kind === "class" || declarations.some(is.isInterfaceDeclaration);
    return {
      name: this.#name,
      kind,
      file: this.#fileOf(this.#symbol)?.path ?? "",
      signatures: this.#signatures(declarations),
      doc: this.#docOf(this.#symbol),
      members: hasMembers ? [...this.#members(), ...this.#callables(declarations)] : [],
    };
  }

  /** An overloaded function without its implementation. */
  #signatures(declarations: readonly Node[]): readonly string[] {
    const overloads = declarations.filter((node) => !is.isFunctionDeclaration(node) || node.body === undefined);
    return (overloads.length > 0 ? overloads : declarations).map((node) => headOf(node));
  }

  /** Also inherited ones, of what is declared here. */
  #members(): readonly Member[] {
    const type = this.#checker.getDeclaredTypeOfSymbol(this.#symbol);
    const properties = type === undefined ? [] : this.#checker.getPropertiesOfType(type);
    return properties.flatMap((property) => this.#memberOf(property) ?? []);
  }

  #memberOf(property: TypeSymbol): Member | undefined {
    const node = property.declarations[0]?.resolve(this.#from.project);
    if (node === undefined || this.#fileOf(property) === undefined || isHidden(node)) return undefined;
    const signatures = property.declarations.map((handle) => handle.resolve(this.#from.project)).filter((one) => one !== undefined);
    const shown = signatures.filter((one) => !is.isMethodDeclaration(one) || one.body === undefined);
    const signature = (shown.length > 0 ? shown : signatures.slice(0, 1)).map(headOf).join("\n");
    return {
      name: property.name,
      signature,
      isOptional: (property.flags & SymbolFlags.Optional) !== 0,
      isFunction: (property.flags & SymbolFlags.Method) !== 0,
      owner: (node.parent as { readonly name?: Node }).name?.getText(node.getSourceFile()) ?? "",
      doc: this.#docOf(property),
    };
  }

  /** Calls and constructors of an interface. */
  #callables(declarations: readonly Node[]): readonly Member[] {
    const members = declarations.filter(is.isInterfaceDeclaration).flatMap((one) => one.members);
    const nameless = members.filter((one) => is.isCallSignatureDeclaration(one) || is.isConstructSignatureDeclaration(one));
    return nameless.map((one) => ({
      name: "",
      signature: headOf(one),
      isOptional: false,
      isFunction: true,
      owner: this.#name,
      doc: commentOf(one),
    }));
  }

  #fileOf(symbol: TypeSymbol): File | undefined {
    return this.#program.fileAt(symbol.declarations[0]?.path);
  }

  #docOf(symbol: TypeSymbol): Doc {
    const tags = this.#checker.getJsDocTagsOfSymbol(symbol).map(({ name, text = "" }) => ({ name, text: text.trim() }));
    return { text: this.#checker.getDocumentationCommentOfSymbol(symbol).trim(), tags };
  }
}

function kindOf(node: Node): Exported["kind"] {
  if (is.isFunctionDeclaration(node)) return "function";
  if (is.isClassDeclaration(node)) return "class";
  if (is.isInterfaceDeclaration(node)) return "interface";
  return is.isTypeAliasDeclaration(node) ? "type" : "constant";
}

/** Of a class: what it keeps for itself, or for others of Edgewire. */
function isHidden(node: Node): boolean {
  const { modifiers = [], name } = node as { readonly modifiers?: readonly Node[]; readonly name?: Node };
  if (name !== undefined && (is.isPrivateIdentifier(name) || is.isComputedPropertyName(name))) return true;
  return modifiers.some(({ kind }) => kind === SyntaxKind.PrivateKeyword || kind === SyntaxKind.ProtectedKeyword);
}

/** The declaration without its comments and its body. */
function headOf(node: Node): string {
  const source = node.getSourceFile();
  const text = (from: number, to: number): string => source.text.slice(from, to);
  const start = node.getStart(source);
  if (is.isInterfaceDeclaration(node) || is.isClassDeclaration(node)) {
    const brace = source.text.indexOf("{", (node.heritageClauses?.at(-1) ?? node.typeParameters?.at(-1) ?? node.name ?? node).getEnd());
    return tidy(text(start, brace));
  }
  const { body, initializer } = node as { readonly body?: Node; readonly initializer?: Node };
  const isConstant = is.isVariableDeclaration(node);
  const isTyped = isConstant && node.type !== undefined;
  const end =
    body !== undefined
      ? body.getStart(source)
      : initializer !== undefined && (isTyped || !isConstant)
        ? initializer.getStart(source)
        : node.getEnd();
  return tidy(`${isConstant ? "const " : ""}${text(start, end)}`.replace(/\s*=\s*$/, ""));
}

function tidy(text: string): string {
  return text
    .replace(/^export /, "")
    .replace(/^declare /, "")
    .replace(/[\s;,]+$/, "")
    .replace(/^ {2}/gm, (indent) => indent);
}

/** Of a signature, which has no symbol. */
function commentOf(node: Node): Doc {
  const source = node.getSourceFile();
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(source.text.slice(node.pos, node.getStart(source)))?.[1] ?? "";
  return { text: comment.replace(/^\s*\* ?/gm, "").trim(), tags: [] };
}
