/**
 * A request as the checks read it. A Request fits; where creating one has a cost, `whole` creates it for the hook or the observer
 * that needs it.
 */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null; has(name: string): boolean };
  readonly whole?: Request;
  /** The number of headers; see `fieldCount`. */
  readonly fields?: number;
}

/** A Request that its constructor can't make anew: that of a page drops the handshake's headers (adapters/memory/request.ts). */
export interface Movable {
  /** The same request at another URL. */
  at(url: string): Request;
}

/** The same request at another URL. @throws TypeError like `wholeOf`. */
export function requestAt(url: string, request: RequestHead): Request {
  const whole = wholeOf(request) as Request & Partial<Movable>;
  return whole.at?.(url) ?? new Request(url, whole);
}

/** The number of a request's headers; repeated ones count once if the runtime joins them. */
export function fieldCount({ fields, headers }: RequestHead): number {
  // `count` is Bun's own.
  const known = fields ?? (headers as { readonly count?: number }).count;
  if (known !== undefined) return known;
  let count = 0;
  (headers as Headers).forEach(() => count++);
  return count;
}

/** @throws TypeError for a request that a lenient server accepted and the fetch API does not. */
export function wholeOf(request: RequestHead): Request {
  return request.whole ?? (request as Request);
}

/** For an observer, which gets every refusal, whatever the request was. */
export function wholeIfAny(request: RequestHead): { readonly request?: Request } {
  try {
    return { request: wholeOf(request) };
  } catch {
    return {};
  }
}

/** A header's value. An empty header counts as absent: workerd does not show it, and runtimes must agree. */
export function fieldOf({ headers }: Pick<RequestHead, "headers">, name: string): string | undefined {
  return headers.get(name) || undefined;
}

/**
 * A request whose head is read in one go, to measure its size. Asking for the headers again one by one, each a call into the
 * runtime, would cost as much once more (workerd, `npm run bench -- --mode connect --profile`).
 */
export class ReadHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: HeadFields;
  readonly whole: Request;

  /** @param pairs the headers, with names in any case, repeated ones separately; without it they are read from the request. */
  constructor(request: Request, pairs?: Iterable<readonly [name: string, value: string]>) {
    this.method = request.method;
    this.url = request.url;
    this.whole = request;
    const headers = (this.headers = new HeadFields());
    // One call into the runtime; an iterator makes one for each header (workerd: 6.2 instead of 4.4 us for eight).
    if (pairs === undefined) request.headers.forEach((value, name) => headers.add(name, value));
    else for (const [name, value] of pairs) headers.add(name.toLowerCase(), value);
  }

  get fields(): number {
    return this.headers.count;
  }

  /** The size of the URL and the headers, with the colon, the space and the line end of each. */
  get bytes(): number {
    return this.url.length + this.headers.bytes;
  }
}

/** Names and values alternate: a handshake has about ten, and searching them takes less time than putting them into a map. */
class HeadFields {
  readonly #fields: string[] = [];
  bytes = 0;

  add(name: string, value: string): void {
    this.#fields.push(name, value);
    this.bytes += name.length + value.length + separators;
  }

  get count(): number {
    return this.#fields.length / 2;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** The values of one name, joined like `Headers` does. */
  get(name: string): string | null {
    const fields = this.#fields;
    let found: string | null = null;
    for (let index = 0; index < fields.length; index += 2) {
      if (fields[index] === name) found = found === null ? (fields[index + 1] as string) : `${found}, ${fields[index + 1]}`;
    }
    return found;
  }
}

const separators = 4;
