/**
 * A request as the checks read it. A Request is one; where making it has a price, `whole` makes it for the hook or the observer
 * that asks.
 */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null; has(name: string): boolean };
  readonly whole?: Request;
}

export function wholeOf(request: RequestHead): Request {
  return request.whole ?? (request as Request);
}

/**
 * A request whose head is read at once, which its size is counted from: to ask for headers again one by one, where each is a call into the
 * runtime, costs as much once more (workerd, `npm run bench -- --mode connect --profile`).
 */
export class ReadHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: RequestHead["headers"];
  readonly whole: Request;
  /** Of the URL and the headers, with the colon, the space and the line's end of each. */
  readonly bytes: number;

  /** @param pairs its headers, with names in any case and repeated ones by themselves: `Headers` will do. */
  constructor(request: Request, pairs: Iterable<readonly [name: string, value: string]>) {
    this.method = request.method;
    this.url = request.url;
    this.whole = request;
    const headers = new Map<string, string>();
    let bytes = this.url.length;
    for (const [name, value] of pairs) {
      bytes += name.length + value.length + separators;
      const key = name.toLowerCase();
      const before = headers.get(key);
      headers.set(key, before === undefined ? value : `${before}, ${value}`);
    }
    this.bytes = bytes;
    this.headers = { get: (name) => headers.get(name) ?? null, has: (name) => headers.has(name) };
  }
}

const separators = 4;
