/**
 * Whether somebody reads the body of a Response. Deno ends the whole listener for one (2.9.6: "Terminating Deno.serve loop"), and `bodyUsed` says
 * nothing of it before the first chunk. To ask for `body` would make a stream of every text, which Deno sends faster as it is
 * (ext/fetch/23_response.js, 22_body.js).
 */
export function isBeingRead(response: Response): boolean {
  const stream = inner === undefined ? response.body : streamOf(response, inner);
  return stream instanceof ReadableStream && stream.locked;
}

/** Where Deno keeps the body as it was given. Undefined if a Deno to come has no such field. */
const inner: symbol | undefined = findInner();

function findInner(): symbol | undefined {
  const probe = new Response(new ReadableStream());
  return Object.getOwnPropertySymbols(probe).find((symbol) => streamOf(probe, symbol) instanceof ReadableStream);
}

function streamOf(response: Response, symbol: symbol): unknown {
  const found = Reflect.get(response, symbol) as { readonly body?: { readonly streamOrStatic?: unknown } | null } | null | undefined;
  return found?.body?.streamOrStatic;
}
