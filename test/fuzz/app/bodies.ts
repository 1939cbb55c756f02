/** Responses and bodies that the fuzzer can recognise; runs on every runtime. */

/** Bytes by which an answer's place is known. */
export function text(id: string, size: number): string {
  return `${id} `.repeat(Math.ceil(size / (id.length + 1))).slice(0, size);
}

export function own(id: string, body: BodyInit | null, init: ResponseInit): Response {
  const response = new Response(body, init);
  response.headers.set("x-fuzz", id);
  return response;
}

/** Streams that somebody began to read, and did neither read to the end nor cancel: what the server forgot. */
const streams = new Set<object>();
/** Whose they are. */
export const openStreams = (): readonly string[] => [...streams].map(String);

/** Sends what it is given, then fails with `error`, or ends where that is "never". */
export function failing(given: string | readonly unknown[], error: unknown): ReadableStream {
  const parts = typeof given === "string" ? [new TextEncoder().encode(given)] : given;
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next < parts.length) return controller.enqueue(parts[next++]);
      if (error === "never") controller.close();
      else controller.error(error);
    },
  });
}

/** The same again and again, for as long as somebody reads. */
export function endless(id: string, chunk: string): ReadableStream {
  const bytes = new TextEncoder().encode(chunk);
  const self = { toString: () => id };
  let over = false;
  return new ReadableStream(
    {
      async pull(controller) {
        if (!over) streams.add(self);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (over) return;
        if (bytes.length > 0) controller.enqueue(bytes);
        else await new Promise(() => {});
      },
      cancel() {
        over = true;
        streams.delete(self);
      },
    },
    // Nothing is pulled before somebody reads.
    { highWaterMark: 0 },
  );
}

/** What only looks like a Response. */
export function duck(id: string, fields: object): object {
  return {
    status: 200,
    statusText: "",
    ok: true,
    type: "default",
    headers: new Headers({ "x-fuzz": id }),
    body: null,
    bodyUsed: false,
    redirected: false,
    url: "",
    arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)),
    text: () => Promise.resolve(""),
    clone: () => duck(id, fields),
    ...fields,
  };
}
