/**
 * What travels between a caller and a room, as plain data: the same in one process as over RPC. Values go through the codec, so that a function
 * gets copies, and what works on one runtime works on all. Of an error only its message and its code travel.
 */
import { decode, encode, maxValue } from "../../values/codec.ts";
import { quoted } from "../../values/log.ts";
import { exceeds, utf8Length } from "../../values/text.ts";

/** A call as a room gets it. */
export type CallRequest = readonly [name: string, args: string, chain: readonly string[], deadline: number];

export interface CallFailure {
  readonly message: string;
  readonly code?: string | number;
}

/** What comes back; the value is encoded. */
export type CallAnswer = { readonly value: string } | { readonly error: CallFailure };

/** The codes of Edgewire's own errors. */
export type CallCode = "unknown_call" | "deadline" | "deadlock" | "busy" | "closing" | "interrupted";

/** How Edgewire's own messages begin. */
export function described(name: string, room: string): string {
  return `call ${quoted(name)} of room ${quoted(room)}`;
}

export function refused(code: CallCode, message: string): CallAnswer {
  return { error: { message, code } };
}

/** @throws TypeError, with the path, for an argument that can't be encoded; RangeError for too many bytes. */
export function encodeArguments(call: string, args: readonly unknown[]): string {
  return checkSize(`${call}: the arguments take`, `[${args.map((arg, index) => encode(arg, `${call}: argument ${index + 1}`)).join(",")}]`);
}

export function decodeArguments(args: string): readonly unknown[] {
  return decode(args) as unknown[];
}

/** @throws TypeError, with the path, for a result that can't be encoded; RangeError for too many bytes. */
export function encodeResult(call: string, result: unknown): string {
  return checkSize(`${call}: the result takes`, encode(result, `${call}: result`));
}

/** What a room has answered. @throws Error with the message, and the code if there is one. */
export function resultOf(answer: CallAnswer): unknown {
  if ("value" in answer) return decode(answer.value);
  const { message, code } = answer.error;
  throw Object.assign(new Error(message), code === undefined ? {} : { code });
}

/** What a caller is told of a thrown value. Never throws. */
export function failureOf(thrown: unknown): CallFailure {
  const code = attempt(() => codeOf(thrown));
  const message = attempt(() => (isError(thrown) ? String(thrown.message) : String(thrown))) ?? "an error whose message can't be read";
  return code === undefined ? { message } : { message, code };
}

/** Whether the application has thrown it as its answer: it has a code, and not one of the system (ECONNREFUSED) or the runtime (ERR_…). */
export function isAnswer(thrown: unknown, { code }: CallFailure): boolean {
  if (code === undefined || (typeof code === "string" && code.startsWith("ERR_"))) return false;
  return attempt(() => (thrown as { syscall?: unknown }).syscall) === undefined;
}

function codeOf(thrown: unknown): string | number | undefined {
  const code: unknown = isError(thrown) ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === "string" || (typeof code === "number" && Number.isFinite(code)) ? code : undefined;
}

/** Also an error of another realm (a test runner's, a vm's). */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === "[object Error]";
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function checkSize(what: string, encoded: string): string {
  if (!exceeds(encoded, maxValue)) return encoded;
  throw new RangeError(`${what} ${utf8Length(encoded)} bytes encoded: at most ${maxValue} can be passed [EW313]`);
}
