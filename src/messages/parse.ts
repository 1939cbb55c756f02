/** The client's payloads, held against their schemas and given on in the order of arrival, also behind a schema that is asynchronous. */
import { isPromise } from "../values/promise.ts";
import { MessageError, invalidPayload } from "./error.ts";
import type { StandardResult, StandardSchema } from "./standard.ts";

export interface Parser {
  (schema: StandardSchema, name: string, payload: unknown, use: (value: unknown) => void, refuse: (error: unknown) => void): void;
}

/** Milliseconds that an asynchronous schema may take: what arrived later waits behind it. */
const schemaDeadline = 10_000;

export function makeParser(): Parser {
  /** Settles when what arrived before has been given on. */
  let before: Promise<void> | undefined;
  return (schema, name, payload, use, refuse) => {
    const finish = (result: StandardResult<unknown>): void =>
      result.issues === undefined ? use(result.value) : refuse(invalidPayload(name, result.issues));
    let result: StandardResult<unknown> | Promise<StandardResult<unknown>>;
    try {
      result = schema["~standard"].validate(payload);
      if (isPromise(result)) result = inTime(result, name);
      else if (before === undefined) return finish(result);
    } catch (error) {
      if (before === undefined) return refuse(error);
      result = Promise.reject(error as Error);
    }
    // Both settled, because what arrives next waits for this one alone.
    const mine = Promise.allSettled([result, before])
      .then(([parsed]) => (parsed.status === "fulfilled" ? finish(parsed.value) : refuse(parsed.reason)))
      .catch(refuse)
      .then(() => {
        if (before === mine) before = undefined;
      });
    before = mine;
  };
}

/** @throws MessageError `deadline`. */
function inTime<Value>(result: PromiseLike<Value>, name: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = new MessageError("deadline", `the schema of "${name}" did not settle within ${schemaDeadline} ms`, { about: name });
    const timer = setTimeout(reject, schemaDeadline, late);
    void Promise.resolve(result)
      .then(resolve, reject)
      .then(() => clearTimeout(timer));
  });
}
