/** Packages that are installed by those who use them: what is missing is said by the command that installs it. */
import type * as Accept from "./ws/accept.ts";

/** What needs `ws`, once it is loaded. Not by `import`, whose error would name a file of ours; nor by an `await` that would keep `require` from loading this. */
export let accept: typeof Accept.accept | undefined;
let loading: Promise<void> | undefined;

/** @throws Error where `ws` is not installed. */
export function loadWs(who: string): Promise<void> {
  return (loading ??= load(who, "ws", async () => {
    ({ accept } = await import("./ws/accept.ts"));
  }));
}

/** @throws Error that says how a missing package is installed. */
export async function load<Loaded>(who: string, name: string, run: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await run();
  } catch (cause) {
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND" || !String(message).includes(`'${name}'`)) throw cause;
    throw Object.assign(new Error(`${who} needs the package ${name}, which is not installed: npm install ${name}`, { cause }), { code });
  }
}
