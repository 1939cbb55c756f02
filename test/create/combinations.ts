/** The sixteen projects that create-edgewire can write. */
import type { Project, Runtime } from "../../create-edgewire/src/types.d.ts";

const runtimes: readonly Runtime[] = ["node", "bun", "deno", "cloudflare"];

export type Combination = Omit<Project, "folder"> & { readonly name: string };

export const combinations: readonly Combination[] = runtimes.flatMap((runtime) =>
  [false, true].flatMap((hono) => [false, true].map((messages) => ({ runtime, hono, messages, name: nameOf(runtime, hono, messages) }))),
);

function nameOf(runtime: Runtime, hono: boolean, messages: boolean): string {
  return [runtime, ...(hono ? ["hono"] : []), ...(messages ? ["messages"] : [])].join("-");
}
