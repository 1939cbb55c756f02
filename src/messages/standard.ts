/**
 * The part of Standard Schema v1 (standardschema.dev) that is used, which zod, valibot and arktype have in common. Declared here
 * to avoid a dependency.
 */

export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Only a type: there is no such value. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a sender passes: the schema's input. */
export type Sent<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["input"];

/** What a receiver gets: the schema's output. */
export type Received<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/** Accepts any value: what has no schema keeps its place in the order. */
export const anything: StandardSchema = { "~standard": { version: 1, vendor: "edgewire", validate: (value) => ({ value }) } };

/** Whether it implements the standard. arktype's schemas are functions. */
export function isSchema(value: unknown): value is StandardSchema {
  const standard = (value as Partial<StandardSchema> | null | undefined)?.["~standard"];
  return standard?.version === 1 && typeof standard.validate === "function";
}
