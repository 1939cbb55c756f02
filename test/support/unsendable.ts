/** Responses that no runtime can send, so `upgrade` can't refuse with them. Runs on every runtime. */

/** Sizes below and above 1 MiB. */
const large = 1024 * 1024 + 1;

const streamed = (source: UnderlyingDefaultSource<Uint8Array>): Response =>
  new Response(new ReadableStream(source), { status: 403, headers: { "content-type": "text/plain" } });

/** Created on first use: workerd does not allow streams at module level. */
const constants: Record<string, Response> = {};

const kinds = {
  /** `Response.error()`, whose status is 0. */
  error: () => Response.error(),
  used: async () => {
    const response = new Response("used", { status: 403 });
    await response.text();
    return response;
  },
  locked: () => {
    const response = new Response("locked", { status: 403 });
    response.body?.getReader();
    return response;
  },
  "fails at once": (secret: string) => streamed({ pull: (controller) => controller.error(new Error(secret)) }),
  "fails midway": (secret: string) => {
    let chunks = 0;
    return streamed({
      pull(controller) {
        if (chunks++ < 3) controller.enqueue(new TextEncoder().encode("chunk"));
        else controller.error(new Error(secret));
      },
    });
  },
  "is no bytes": () => streamed({ start: (controller) => controller.enqueue("text" as never) }),
  "never ends": () => streamed({ start: (controller) => controller.enqueue(new TextEncoder().encode("chunk")) }),
  "never stops": () => streamed({ pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)) }),
  large: () => new Response("x".repeat(large), { status: 403 }),
  header: () => new Response("no", { status: 403, headers: { "x-odd": "a\u0001b" } }),
  delete: () => new Response(null, { status: 403, headers: { "x-odd": "a\u007fb" } }),
  "a constant": (name: string) => (constants[name] ??= new Response("only once", { status: 403 })),
  "a constant without a body": (name: string) => (constants[name] ??= new Response(null, { status: 403, headers: { "x-again": "yes" } })),
} satisfies Record<string, (text: string) => Response | Promise<Response>>;

export type Unsendable = keyof typeof kinds;

/** @param text the name of a constant, or the message of a failure. */
export function unsendable(kind: Unsendable, text: string): Response | Promise<Response> {
  return kinds[kind](text);
}
