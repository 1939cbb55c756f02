/** A room's values in a backplane in memory. */
import { compareUtf8 } from "../../values/text.ts";
import type { FoundValue, FoundValues, ValueRange, ValueWrite, ValuesWritten } from "../values.ts";
import type { MemoryKept } from "./state.ts";

export function getValue({ values, version }: MemoryKept, key: string): FoundValue {
  return { version, value: values.get(key) };
}

export function listValues({ values, version }: MemoryKept, { prefix, after, limit }: ValueRange): FoundValues {
  const entries = Array.from(values, ([key, { text }]) => [key, text] as const)
    .filter(([key]) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0))
    .sort(([one], [other]) => compareUtf8(one, other));
  return { version, entries: entries.slice(0, limit) };
}

export function writeValues(kept: MemoryKept, write: ValueWrite): ValuesWritten {
  const { tag, changes } = write;
  if (isCarriedOut(kept, write)) return { version: kept.version, isWritten: true, existed: [] };
  if (!isExpected(kept, write)) return { version: kept.version, isWritten: false, existed: [] };
  const existed = [...changes.keys()].filter((key) => kept.values.has(key));
  if (write.clear === true) kept.values.clear();
  for (const [key, text] of changes) {
    if (text === undefined) kept.values.delete(key);
    else kept.values.set(key, { text, tag });
  }
  kept.version = tag;
  return { version: tag, isWritten: true, existed };
}

function isCarriedOut({ values, version }: MemoryKept, { tag, changes }: ValueWrite): boolean {
  if (version === tag) return true;
  for (const key of changes.keys()) if (values.get(key)?.tag === tag) return true;
  return false;
}

function isExpected(kept: MemoryKept, { expected = new Map(), version }: ValueWrite): boolean {
  if (version !== undefined && version !== kept.version) return false;
  for (const [key, tag] of expected) if (kept.values.get(key)?.tag !== tag) return false;
  return true;
}
