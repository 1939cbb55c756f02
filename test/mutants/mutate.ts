/** Finds places of a source file at which one small fault can be planted. Text alone: comments, strings and types are left as they are. */

export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** What stands there, and what is planted. */
  readonly from: string;
  readonly to: string;
  /** The whole file with it. */
  readonly text: string;
}

/** Swaps of one operator. Spaces around them tell a comparison from a type's brackets. */
const swaps: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/ (===|!==) /g, (found) => (found === "===" ? "!==" : "===")],
  [/ (<|>) /g, (found) => `${found}=`],
  [/ (<=|>=) /g, (found) => found.slice(0, 1)],
  [/ (&&|\|\|) /g, (found) => (found === "&&" ? "||" : "&&")],
  [/ (\+|-) /g, (found) => (found === "+" ? "-" : "+")],
  [/ (\+=|-=) /g, (found) => (found === "+=" ? "-=" : "+=")],
  [/(?:return|=) (true|false);/g, (found) => (found === "true" ? "false" : "true")],
  [/Math\.(min|max)\(/g, (found) => (found === "min" ? "max" : "min")],
];

/** A call that stands alone on its line, and a guard that leaves. */
const statements: readonly RegExp[] = [
  /^[ ]+(?:void )?[\w#.?[\]]+\((?:[^;{}]*)\);$/gm,
  /^[ ]+if \([^{}]*\) (?:return|continue|break)\b[^{}]*;$/gm,
];

export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const code = withoutTextOf(text);
  const found: Mutant[] = [];
  const add = (at: number, from: string, to: string): void => {
    const line = code.slice(0, at).split("\n").length;
    found.push({ file, line, from: from.trim(), to: to.trim(), text: text.slice(0, at) + to + text.slice(at + from.length) });
  };
  for (const [pattern, swap] of swaps) {
    for (const match of code.matchAll(pattern)) {
      const [all, operator = ""] = match;
      if (isType(code, match.index)) continue;
      add(match.index + all.indexOf(operator), operator, swap(operator));
    }
  }
  for (const pattern of statements) {
    for (const match of code.matchAll(pattern)) add(match.index, text.slice(match.index, match.index + match[0].length), "");
  }
  return found;
}

/** Whether the line declares a type. */
function isType(code: string, at: number): boolean {
  const line = code.slice(code.lastIndexOf("\n", at) + 1, code.indexOf("\n", at));
  return /^(export )?(type|interface) |^  readonly \w+\??:|=> void;$/.test(line);
}

/** The same text with comments, strings, templates and regular expressions blanked, so that every position stays. */
export function withoutTextOf(text: string): string {
  const blank = (part: string): string => part.replaceAll(/[^\n]/g, "_");
  const token =
    /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[=(,:!&|?] ?)\/(?![*/ ])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;
  return text.replaceAll(token, blank);
}
