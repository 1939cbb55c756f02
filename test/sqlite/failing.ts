/** Makes statements of SQLite fail. */
import { StatementSync } from "node:sqlite";
import { onTestFinished } from "vitest";

/** Statements for which it returns an error's text fail with that, until the test ends. */
export function failWhere(fails: (sql: string) => string | undefined): void {
  const { prototype } = StatementSync;
  for (const method of ["run", "get", "all"] as const) {
    const original = prototype[method] as (...values: never[]) => unknown;
    const replaced = function (this: StatementSync, ...values: never[]): unknown {
      const message = fails(this.sourceSQL);
      if (message !== undefined) throw new Error(message);
      return Reflect.apply(original, this, values);
    };
    Object.assign(prototype, { [method]: replaced });
    onTestFinished(() => void Object.assign(prototype, { [method]: original }));
  }
}
