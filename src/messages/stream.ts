/** A stream on the client: what `client.stream` returns. It sends its request, and gives credit, as its loop asks for items. */
import { MessageError } from "./error.ts";
import { deadlineOf } from "./exchange.ts";
import type { Asked, Exchanges, Exchanging, RequestOptions } from "./exchange.ts";
import { badFrame, maxCredit } from "./frame.ts";
import type { StandardSchema } from "./standard.ts";

/** What `stream` takes besides the payload. */
export interface StreamOptions extends RequestOptions {
  /** Items that the server may send before the loop takes them: 1 to 1000. Default: 32. */
  readonly window?: number;
}

/** A call of `next` that waits. */
interface Reader {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/** @throws RangeError for an invalid option. */
export function openStream(
  { socket, parse, write, ask }: Exchanging & Pick<Exchanges, "ask">,
  item: StandardSchema,
  name: string,
  payload: unknown,
  options: StreamOptions,
): AsyncIterableIterator<unknown> {
  const deadline = deadlineOf(options);
  const { window = 32, signal } = options;
  if (!(Number.isInteger(window) && window > 0 && window <= maxCredit)) {
    throw new RangeError(`option "window" is ${String(window)}: use 1 to ${maxCredit} [EW551]`);
  }
  const ready: unknown[] = [];
  const readers: Reader[] = [];
  /** Items that the server may still send, and items that were taken since it was last given credit. */
  let credit = window;
  let taken = 0;
  let asked: Asked | undefined;
  /** Of the loop's wait for an item. */
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** How the loop ends once nothing is ready, if the stream is over. */
  let over: ((reader: Reader) => void) | undefined;

  function start(): Asked {
    return ask(
      {
        name,
        payload,
        result: anything,
        credit,
        item(value) {
          if (credit-- > 0) parse(item, name, value, receive, fail);
          else fail(badFrame(`more items of "${name}" than the window of ${window}`));
        },
        resolve: () => end(finish),
        // Items that came before it may still be checked. Whoever aborts does not wait for them.
        reject: (error) => (signal?.aborted ? failed(error) : parse(anything, name, error, failed, failed)),
      },
      options,
    );
  }

  function receive(value: unknown): void {
    if (over !== undefined) return;
    ready.push(value);
    settle();
  }

  function failed(error: unknown): void {
    // Whoever aborts wants nothing of what is ready.
    if (signal?.aborted) ready.length = 0;
    end(({ reject }) => reject(error));
  }

  /** The fault is found here: the server goes on unless it is informed. */
  function fail(error: unknown): void {
    failed(error);
    asked?.cancel(error);
  }

  function end(how: (reader: Reader) => void): void {
    over ??= how;
    settle();
  }

  function settle(): void {
    while (ready.length > 0 || over !== undefined) {
      const reader = readers.shift();
      if (reader === undefined) break;
      if (ready.length > 0) {
        reader.resolve({ done: false, value: ready.shift() });
        taken++;
      } else {
        over?.(reader);
        over = finish;
      }
    }
    if (taken * 2 >= window && give(taken)) {
      credit += taken;
      taken = 0;
    }
    clearTimeout(timer);
    if (readers.length > 0) timer = setTimeout(probe, deadline / 2);
  }

  /** The loop has waited for half of its deadline: if an eviction has ended the stream, the server answers that. */
  function probe(): void {
    give(0);
    timer = setTimeout(() => {
      fail(new MessageError("deadline", `"${name}" sent no item within ${deadline} ms [EW552]`, { about: name }));
    }, deadline / 2);
  }

  /** Returns whether it was sent: not while the request itself waits for a connection. */
  function give(n: number): boolean {
    if (over !== undefined || asked === undefined || socket.readyState !== 1) return false;
    try {
      return write({ type: "credit", id: asked.id, n }) !== "refused";
    } catch {
      // The socket accepts nothing any more.
      return false;
    }
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      new Promise((resolve, reject) => {
        readers.push({ resolve, reject });
        if (over === undefined) asked ??= start();
        settle();
      }),
    return(value?: unknown) {
      ready.length = 0;
      end(finish);
      asked?.cancel(undefined);
      return Promise.resolve({ done: true, value });
    },
  };
}

function finish({ resolve }: Reader): void {
  resolve({ done: true, value: undefined });
}

/** For what needs no check, and comes in its turn. */
const anything: StandardSchema = { "~standard": { version: 1, vendor: "edgewire", validate: (value) => ({ value }) } };
