/** Makes a function of the handler's source: types are removed, and imports come from the given modules. */
import { transform } from "sucrase";
import type { Problem } from "../protocol.ts";

/** What the source sees besides the globals. */
export interface Surroundings {
  readonly require: (name: string) => unknown;
  readonly console: object;
  readonly process: object;
}

/** As stack traces name it. */
const file = "handler.ts";

type Evaluate = (...values: readonly unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => {}).constructor as new (...parameters: readonly string[]) => Evaluate;

/** @throws SyntaxError. */
export function compile(source: string): (surroundings: Surroundings) => Promise<Record<string, unknown>> {
  const { code } = transform(source, { transforms: ["typescript", "imports"], filePath: file, disableESTransforms: true });
  const evaluate = new AsyncFunction("require", "console", "process", "exports", `${code}\n//# sourceURL=${file}`);
  return async ({ require, console, process }) => {
    offset ??= await linesBefore();
    const exports: Record<string, unknown> = {};
    await evaluate(require, console, process, exports);
    return exports;
  };
}

/** The lines that a runtime puts before a function's body, once it is known. */
let offset: number | undefined;

async function linesBefore(): Promise<number> {
  const thrown: unknown = await new AsyncFunction(
    "require",
    "console",
    "process",
    "exports",
    `throw new Error()\n//# sourceURL=${file}`,
  )().catch((error: unknown) => error);
  return (placeIn(thrown)?.line ?? 1) - 1;
}

function placeIn(error: unknown): { readonly line: number; readonly column: number } | undefined {
  const [, line, column] = /handler\.ts:(\d+):(\d+)/.exec(String((error as Error | undefined)?.stack)) ?? [];
  return line === undefined ? undefined : { line: Number(line), column: Number(column) };
}

/** What to show of an error. */
export function problemOf(error: unknown): Problem {
  const { name = "", message = String(error), loc } = Object(error) as Partial<Error> & { readonly loc?: { line: number; column: number } };
  // Sucrase puts the file before its message, and the place behind it.
  if (loc !== undefined)
    return { message: message.replace(/^.*?: | \(\d+:\d+\)$/g, ""), isSyntax: true, line: loc.line, column: loc.column };
  const place = placeIn(error);
  const text = name === "" || name === "Error" ? message : `${name}: ${message}`;
  if (place === undefined) return { message: text, isSyntax: name === "SyntaxError" };
  return { message: text, isSyntax: false, line: place.line - (offset ?? 0), column: place.column };
}
