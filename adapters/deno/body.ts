/**
 * Whether somebody is reading the body of a Response. Sending such a Response ends Deno's whole listener (2.9.6: "Terminating Deno.serve loop"), and
 * `bodyUsed` is false until the first chunk is read. Reading `response.body` would convert every text body to a stream, which Deno sends more
 * slowly (ext/fetch/23_response.js, 22_body.js).
 */
export function isBeingRead(response: Response): boolean {
  const stream = inner === undefined ? response.body : streamOf(response, inner);
  return stream instanceof ReadableStream && stream.locked;
}

/** The symbol under which Deno stores the original body. Undefined if a later Deno has no such field. */
const inner: symbol | undefined = findInner();

function findInner(): symbol | undefined {
  const probe = new Response(new ReadableStream());
  return Object.getOwnPropertySymbols(probe).find((symbol) => streamOf(probe, symbol) instanceof ReadableStream);
}

function streamOf(response: Response, symbol: symbol): unknown {
  const found = Reflect.get(response, symbol) as { readonly body?: { readonly streamOrStatic?: unknown } | null } | null | undefined;
  return found?.body?.streamOrStatic;
}
