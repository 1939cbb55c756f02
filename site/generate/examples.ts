/** Which of the pages' examples run in the playground, and the part of its address that opens one. */
import { deflateRawSync } from "node:zlib";

/** What its worker has: see client/playground/modules.ts. */
const modules = new Set([
  "edgewire",
  "edgewire/client",
  "edgewire/delivery",
  "edgewire/delivery/client",
  "edgewire/messages",
  "edgewire/serve",
]);

/** A handler that imports nothing but what the playground has. */
export function runsInPlayground(language: string, code: string): boolean {
  if (!/^[jt]s$/.test(language) || !/\bdefineHandler\b.*\(/.test(code)) return false;
  const imported = [...code.matchAll(/^\s*(?:import|export)\b[^;]*?\bfrom "([^"]+)"|^\s*import "([^"]+)"/gm)];
  return imported.length > 0 && imported.every(([, from, alone]) => modules.has(from ?? alone ?? ""));
}

/** As client/playground/share.ts reads it. */
export function shared(code: string, path?: string): string {
  const packed = `code=${deflateRawSync(code, { level: 9 }).toString("base64url")}`;
  return path === undefined || path === "/" ? packed : `${packed}&path=${encodeURIComponent(path)}`;
}

/** The page's first example in the playground. */
export function firstExample({ text }: { readonly text: string }): string {
  for (const [, language = "", code = ""] of text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm))
    if (runsInPlayground(language, code)) return `playground.html#${shared(code)}`;
  return "playground.html";
}
