/** Loads optional packages. If one is not installed, the error names the command that installs it. */
import type * as Accept from "./ws/accept.ts";

/**
 * Set once `ws` is loaded. A static `import` would fail with an error that names one of our files; a top-level `await` would keep `require`
 * from loading this module.
 */
export let accept: typeof Accept.accept | undefined;
let loading: Promise<void> | undefined;

/** @throws Error if `ws` is not installed. */
export function loadWs(who: string): Promise<void> {
  return (loading ??= load(who, "ws", async () => {
    ({ accept } = await import("./ws/accept.ts"));
  }));
}

/** @throws Error that says how to install the package if it is missing. */
export async function load<Loaded>(who: string, name: string, run: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await run();
  } catch (cause) {
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND" || !String(message).includes(`'${name}'`)) throw cause;
    throw Object.assign(new Error(`${who} needs the package ${name}, which is not installed: npm install ${name} [EW620]`, { cause }), {
      code,
    });
  }
}
