/** A call's arguments, encoded. */
import { encode, maxValue } from "../../values/codec.ts";
import { exceeds, utf8Length } from "../../values/text.ts";

/** @throws TypeError, with the path, for an argument that can't be stored; RangeError if all take over 1 MiB encoded. */
export function encodeArguments(method: string, args: readonly unknown[]): string {
  const text = `[${args.map((arg, index) => encode(arg, `${method}: argument ${index + 1}`)).join()}]`;
  if (!exceeds(text, maxValue)) return text;
  throw new RangeError(`${method}: the arguments take ${utf8Length(text)} bytes encoded: at most ${maxValue} can be stored`);
}
