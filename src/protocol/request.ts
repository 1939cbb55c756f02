/**
 * A request as the checks read it. A Request is one; where making it has a price, `whole` makes it for the hook or the observer
 * that asks.
 */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null; has(name: string): boolean };
  readonly whole?: Request;
  /** How many headers it has; see `fieldCount`. */
  readonly fields?: number;
}

/** How many headers a request has, repeated ones once where the runtime joins them. */
export function fieldCount({ fields, headers }: RequestHead): number {
  // The second is Bun's own.
  const known = fields ?? (headers as { readonly count?: number }).count;
  if (known !== undefined) return known;
  let count = 0;
  (headers as Headers).forEach(() => count++);
  return count;
}

/** @throws TypeError for one that a runtime took and the fetch API does not: an application's own server may read requests leniently. */
export function wholeOf(request: RequestHead): Request {
  return request.whole ?? (request as Request);
}

/** For an observer, who is told of a refusal whatever the request was. */
export function wholeIfAny(request: RequestHead): { readonly request?: Request } {
  try {
    return { request: wholeOf(request) };
  } catch {
    return {};
  }
}

/**
 * A header's value. One that is empty is no header: workerd does not show it, and what it stands for can't depend on the runtime.
 */
export function fieldOf({ headers }: Pick<RequestHead, "headers">, name: string): string | undefined {
  return headers.get(name) || undefined;
}

/**
 * A request whose head is read at once, which its size is counted from: to ask for headers again one by one, where each is a call into the
 * runtime, costs as much once more (workerd, `npm run bench -- --mode connect --profile`).
 */
export class ReadHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: HeadFields;
  readonly whole: Request;

  /** @param pairs its headers, with names in any case and repeated ones by themselves; without them the request is asked. */
  constructor(request: Request, pairs?: Iterable<readonly [name: string, value: string]>) {
    this.method = request.method;
    this.url = request.url;
    this.whole = request;
    const headers = (this.headers = new HeadFields());
    // One call into the runtime; an iterator would be one for each header (workerd: 6.2 instead of 4.4 us for eight).
    if (pairs === undefined) request.headers.forEach((value, name) => headers.add(name, value));
    else for (const [name, value] of pairs) headers.add(name.toLowerCase(), value);
  }

  get fields(): number {
    return this.headers.count;
  }

  /** Of the URL and the headers, with the colon, the space and the line's end of each. */
  get bytes(): number {
    return this.url.length + this.headers.bytes;
  }
}

/** Names and values in turn: a handshake has some ten, which are looked through in less time than they would be put into a map. */
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

  /** Those of one name joined, as `Headers` has them. */
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
