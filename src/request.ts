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
