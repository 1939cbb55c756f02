/**
 * Checks the Response with which the `upgrade` hook refuses. Given one that can't be sent, a runtime answers with its own page, ends the
 * connection, or ends the process (Deno 2.9.5: a panic for a control character in a header).
 */
import type { MaybePromise } from "../api/connection.ts";
import type { Clock } from "../ports.ts";

/** Maximum bytes of a refusal's body. */
const maxBody = 1024 * 1024;

/** Characters not allowed in an HTTP field value or reason phrase (RFC 9110 section 5.5). */
const unprintable = /[^\t\x20-\x7e\x80-\xff]/;

function checkText(subject: string, where: string, text: string): void {
  if (unprintable.test(text)) throw new TypeError(`${subject} has a control character in ${where} [EW219]`);
}

/** @throws TypeError for values that can't be sent. */
export function checkHeaderValues(subject: string, headers: Headers): void {
  for (const [name, value] of headers) checkText(subject, `the header "${name}"`, value);
}

function bodyUsed(subject: string): Error {
  return new TypeError(`${subject} has a body that was already used: create a Response for each request [EW220]`);
}

/** @throws TypeError for a Response whose head can't be sent, or whose body was already read. */
export function checkSendable(subject: string, response: Response): void {
  // A Response of another realm or library has the same tag; naming the class makes Node load all of fetch.
  if (Object.prototype.toString.call(response) !== "[object Response]")
    throw new TypeError(`${subject} is not a real Response, it only has the properties of one [EW221]`);
  // 0 is the status of Response.error(); 101 is not a refusal, and an interim response is not an answer.
  const { status } = response;
  if (!(status >= 200 && status <= 599)) throw new TypeError(`${subject} has the status ${status}: it must be from 200 to 599 [EW222]`);
  if (response.bodyUsed) throw bodyUsed(subject);
  checkText(subject, "its statusText", response.statusText);
  checkHeaderValues(subject, response.headers);
}

const subject = "the Response of upgrade";

/** Responses whose body is or was being sent: `bodyUsed` turns true only once the runtime has begun. */
const taken = new WeakSet<Response>();

/**
 * Returns the Response once it is certain that it can be sent: a copy of its body has been read to the end.
 * @throws TypeError, RangeError, or what its body failed with; a promise rejects with it.
 */
export function checkRefusal(response: Response, within: number, clock: Clock): MaybePromise<Response> {
  checkSendable(subject, response);
  // Bun drops the Content-Type of text from a Response whose `body` was accessed, but not if it was cloned before (1.4.5, measured).
  const { body } = copyOf(response);
  // A constant Response without a body may refuse any number of clients.
  if (body === null) return response;
  if (taken.has(response)) throw bodyUsed(subject);
  taken.add(response);
  return readToEnd(body, within, clock).then(
    () => response,
    (error: unknown) => {
      response.body?.cancel().catch(() => {});
      throw error;
    },
  );
}

function copyOf(response: Response): Response {
  try {
    return response.clone();
  } catch {
    // It is being read elsewhere.
    throw bodyUsed(subject);
  }
}

async function readToEnd(body: ReadableStream<Uint8Array>, within: number, clock: Clock): Promise<void> {
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimeout(
    () => late.reject(new Error(`${subject} has a body that did not end within upgradeTimeout [EW223]`)),
    within,
  );
  try {
    for (let size = 0; size <= maxBody;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return;
      if (!ArrayBuffer.isView(value)) throw new TypeError(`${subject} has a body with chunks that are not a Uint8Array [EW224]`);
      size += value.byteLength;
    }
    throw new RangeError(`${subject} has a body of more than ${maxBody} bytes [EW225]`);
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clock.clearTimeout(timer);
  }
}
