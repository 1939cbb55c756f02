/** Which errors an option can cause: those of its check, and those whose message names it. */
import type { Message } from "./messages.ts";
import type { Program } from "./program.ts";

/** The table of checks of a handler's options. */
const table = "src/handler/settings.ts";
const files = [table, "src/values/checks.ts", "src/delivery/server/options.ts"];
const folders = ["src/handler/", "src/protocol/"];

export function codesByOption(program: Program, messages: readonly Message[]): (option: string) => readonly string[] {
  const texts = [...program.files].filter(([path]) => files.includes(path) || folders.some((folder) => path.startsWith(folder)));
  const functions = new Map(texts.flatMap(([, { source }]) => functionsIn(source.text)));
  const checks = checksIn(program.files.get(table)?.source.text ?? "");
  return (option) => {
    const named = messages
      .filter(({ text }) => text.includes(`option "${option}"`) || text.includes(`close: "${option}"`))
      .map(({ code }) => code ?? "");
    const checked = codesIn(checks.get(option) ?? "", functions, new Set());
    return [...new Set([...named, ...checked])].toSorted();
  };
}

/** Each function of a file, with its text. */
function functionsIn(text: string): readonly (readonly [string, string])[] {
  return text.split(/^(?=(?:export )?(?:async )?(?:function|const) )/m).flatMap((part) => {
    const name = /^(?:export )?(?:async )?(?:function|const) (\w+)/.exec(part)?.[1];
    return name === undefined || name === "checks" ? [] : [[name, part] as const];
  });
}

function checksIn(text: string): ReadonlyMap<string, string> {
  const body = /^const checks\b[^\n]*= \{\n([\s\S]*?)^\};/m.exec(text)?.[1] ?? "";
  return new Map(Array.from(body.matchAll(/^ {2}(\w+): \[(.*)\],$/gm), ([, name = "", check = ""]) => [name, check]));
}

/** The codes in a text, and in the functions that it names. */
function codesIn(text: string, functions: ReadonlyMap<string, string>, seen: Set<string>): readonly string[] {
  const own = Array.from(text.matchAll(/\[(EW\d{3})\]/g), ([, code = ""]) => code);
  const names = Array.from(text.matchAll(/\b[a-z]\w*(?=\(|, )/g), ([name]) => name).filter(
    (name) => functions.has(name) && !seen.has(name),
  );
  for (const name of names) seen.add(name);
  return [...own, ...names.flatMap((name) => codesIn(functions.get(name) ?? "", functions, seen))];
}
