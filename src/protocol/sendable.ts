/**
 * The Response with which the `upgrade` hook refuses. A runtime that is given one that it can't send answers with a page of its own, ends the
 * connection, or ends the process (Deno 2.9.5: a panic for a control character in a header), so it is checked here, once for all of them.
 */
import type { MaybePromise } from "../api/connection.ts";
import type { Clock } from "../ports.ts";

/** Bytes of a refusal's body. */
const maxBody = 1024 * 1024;

/** What no HTTP message can carry in a field's value or a reason phrase (RFC 9110 section 5.5). */
const unprintable = /[^\t\x20-\x7e\x80-\xff]/;

function checkText(who: string, where: string, text: string): void {
  if (unprintable.test(text)) throw new TypeError(`${who} has a control character in ${where}`);
}

/** @throws TypeError for values that can't be sent. */
export function checkHeaderValues(who: string, headers: Headers): void {
  for (const [name, value] of headers) checkText(who, `the header "${name}"`, value);
}

function bodyUsed(who: string): Error {
  return new TypeError(`${who} has a body that was used already: create a Response for each request`);
}

/** @throws TypeError for a Response whose head can't be sent, and for one whose body somebody has read. */
export function checkSendable(who: string, response: Response): void {
  // One of another realm, or another library, says the same of itself; to name the class makes Node load the whole of fetch.
  if (Object.prototype.toString.call(response) !== "[object Response]") throw new TypeError(`${who} only looks like one`);
  // 0 is that of Response.error(); 101 is not a refusal, and an interim response not an answer.
  const { status } = response;
  if (!(status >= 200 && status <= 599)) throw new TypeError(`${who} has the status ${status}: it must be from 200 to 599`);
  if (response.bodyUsed) throw bodyUsed(who);
  checkText(who, "its statusText", response.statusText);
  checkHeaderValues(who, response.headers);
}

const who = "the Response of upgrade";

/** Responses whose body is on its way, or was: `bodyUsed` says so only once the runtime has begun to send it. */
const taken = new WeakSet<Response>();

/**
 * The Response once it is certain that it can be sent: its body has been read to the end, in a copy.
 * @throws TypeError, RangeError, or what its body failed with; a promise rejects with it.
 */
export function checkRefusal(response: Response, within: number, clock: Clock): MaybePromise<Response> {
  checkSendable(who, response);
  // Bun takes the Content-Type of text off a Response whose `body` was looked at, but not off one that was cloned before (1.4.5, measured).
  const { body } = copyOf(response);
  // A constant without a body may refuse any number of clients.
  if (body === null) return response;
  if (taken.has(response)) throw bodyUsed(who);
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
    // Somebody is reading it.
    throw bodyUsed(who);
  }
}

async function readToEnd(body: ReadableStream<Uint8Array>, within: number, clock: Clock): Promise<void> {
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimeout(() => late.reject(new Error(`${who} has a body that did not end within upgradeTimeout`)), within);
  try {
    for (let size = 0; size <= maxBody;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return;
      if (!ArrayBuffer.isView(value)) throw new TypeError(`${who} has a body of other chunks than Uint8Array`);
      size += value.byteLength;
    }
    throw new RangeError(`${who} has a body of more than ${maxBody} bytes`);
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clock.clearTimeout(timer);
  }
}
