/** A transaction's view of a room's values: its own changes over what is stored, until they are applied together. */
import type { RoomValues } from "../api/storage.ts";
import { compareUtf8 } from "../values/text.ts";
import { maxListed } from "./values.ts";
import type { Range } from "./values.ts";

type Entries = Iterable<readonly [key: string, text: string]>;

/** Text by key; undefined stands for a deleted key. */
type Changes = ReadonlyMap<string, string | undefined>;

export interface Overlay extends RoomValues {
  /** All changes, those of `clear` included. */
  changes(): Promise<Changes>;
}

export function overlay(stored: RoomValues): Overlay {
  const changes = new Map<string, string | undefined>();
  /** Nothing stored counts any more. */
  let cleared = false;
  const get = (key: string): ReturnType<RoomValues["get"]> => (cleared || changes.has(key) ? changes.get(key) : stored.get(key));
  return {
    get,
    set: (key, text) => changes.set(key, text),
    async delete(key) {
      const before = get(key);
      changes.set(key, undefined);
      return typeof (await before) === "string";
    },
    async list(range) {
      // Copied, because they may change while the storage answers.
      const within = new Map(changes);
      return merge(cleared ? [] : await stored.list({ ...range, limit: range.limit + within.size }), within, range);
    },
    clear() {
      cleared = true;
      changes.clear();
    },
    async changes() {
      let page: (readonly [string, string])[] | undefined = cleared ? undefined : [];
      while (page?.length !== 0) {
        page = [...(await stored.list({ prefix: "", after: page?.at(-1)?.[0], limit: maxListed }))];
        for (const [key] of page) if (!changes.has(key)) changes.set(key, undefined);
      }
      return changes;
    },
  };
}

/** What a range has after the changes. @param entries as many as the range may have, and one more for each change. */
export function merge(entries: Entries, changes: Changes, { prefix, after = "", limit }: Range): Entries {
  const merged = [...new Map<string, string | undefined>([...entries, ...changes])].filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[0].startsWith(prefix) && compareUtf8(entry[0], after) > 0,
  );
  return merged.sort(([one], [other]) => compareUtf8(one, other)).slice(0, limit);
}
