export type Runtime = "node" | "bun" | "deno" | "cloudflare";

/** What the command line says. */
export interface Given {
  readonly folder: string | undefined;
  readonly runtime: Runtime | undefined;
  readonly hono: boolean | undefined;
  readonly messages: boolean | undefined;
  readonly yes: boolean;
  readonly help: boolean;
}

/** What is to be written. */
export interface Project {
  /** As it was given: relative to the working directory, or absolute. */
  readonly folder: string;
  readonly runtime: Runtime;
  readonly hono: boolean;
  readonly messages: boolean;
}
