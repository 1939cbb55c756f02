/** Loaded before React, as a bundler's Fast Refresh is. */
// @ts-expect-error: it has no types.
import * as refresh from "react-refresh/runtime";

(refresh as { injectIntoGlobalHook(page: object): void }).injectIntoGlobalHook(globalThis);
Object.assign(globalThis, { refresh });
