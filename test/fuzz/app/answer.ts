/** The application's HTTP. What to answer stands in the URL; the header `x-fuzz` says which request it answers. */
import { endless, own, text } from "./bodies.ts";
import { odd, type OddName, type Way } from "./odd.ts";

/** What a plain request asks for. */
export interface Wanted {
  readonly id: string;
  readonly size: number;
  /** Milliseconds. */
  readonly wait?: number;
  /** In pieces, with a pause between them. Default: all at once. */
  readonly pieces?: number;
  /** Reads the request's body first, and says how long it was. */
  readonly reads?: boolean;
  readonly closes?: boolean;
  readonly odd?: readonly [OddName, Way];
  /** Never answered, or without an end. */
  readonly never?: "answers" | "ends";
}

/** The path of what `wanted` says. */
export const wantedPath = "/wanted";

export function answer(request: Request): unknown {
  const url = new URL(request.url);
  const wanted = url.searchParams.get("wanted");
  if (wanted === null) return new Response("Not Found\n", { status: 404, headers: { "x-fuzz": "none" } });
  return respond(JSON.parse(wanted) as Wanted, request);
}

function respond(wanted: Wanted, request: Request): unknown {
  const { id, odd: oddity, never, wait = 0, reads } = wanted;
  if (oddity !== undefined) return odd(oddity[0], oddity[1], id);
  if (never === "answers") return new Promise(() => {});
  if (never === "ends") return own(id, endless(id, text(id, 100)), {});
  if (wait === 0 && reads !== true) return finish(wanted, undefined);
  return later(wanted, request);
}

async function later(wanted: Wanted, request: Request): Promise<Response> {
  const length = wanted.reads === true ? (await request.text()).length : undefined;
  if (wanted.wait !== undefined) await sleep(wanted.wait);
  return finish(wanted, length);
}

function finish({ id, size, pieces = 0, closes }: Wanted, length: number | undefined): Response {
  const whole = text(id, size);
  const response = own(id, pieces === 0 ? whole : slow(whole, pieces), { headers: closes === true ? { connection: "close" } : {} });
  if (length !== undefined) response.headers.set("x-body", String(length));
  return response;
}

function slow(whole: string, pieces: number): ReadableStream {
  const bytes = new TextEncoder().encode(whole);
  const step = Math.max(1, Math.ceil(bytes.length / pieces));
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= bytes.length) return controller.close();
      await sleep(2);
      controller.enqueue(bytes.subarray(at, (at += step)));
    },
  });
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
