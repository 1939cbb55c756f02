/** Checks payloads on the client, and passes them on in order of arrival, even after an asynchronous schema. */
import { isPromise } from "../values/promise.ts";
import { MessageError, invalidPayload } from "./error.ts";
import type { StandardResult, StandardSchema } from "./standard.ts";

export interface Parser {
  (schema: StandardSchema, name: string, payload: unknown, use: (value: unknown) => void, refuse: (error: unknown) => void): void;
}

/** Milliseconds that an asynchronous schema may take: later messages wait for it. */
const schemaDeadline = 10_000;

export function makeParser(): Parser {
  /** Settles when all earlier payloads were passed on. */
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
    // Waits for both, because the next payload waits only for this one.
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
    const late = new MessageError("deadline", `the schema of "${name}" did not settle within ${schemaDeadline} ms [EW549]`, {
      about: name,
    });
    const timer = setTimeout(reject, schemaDeadline, late);
    void Promise.resolve(result)
      .then(resolve, reject)
      .then(() => clearTimeout(timer));
  });
}
