/** What the latest commit rendered with, for code that runs later: never a stale closure, and nothing subscribes anew because of it. */
import { useInsertionEffect, useState } from "react";

export function useLatest<Value>(value: Value): { current: Value } {
  const [latest] = useState({ current: value });
  // Before every other effect of the commit. Not while rendering: React may throw a render away.
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
