/** What `useRequest` and `useStream` have in common: one call at a time, the last one wins, and none outlives its component. */
import { useEffect, useState } from "react";
import { MessageError } from "../../src/messages/error.ts";

/** The same object until something in it has changed. */
export interface CallState<Args extends readonly unknown[], Result> {
  /** True while the call is under way. */
  readonly pending: boolean;
  /** Why the last call failed; undefined while one is under way, and after one that was cancelled. */
  readonly error: Error | undefined;
  /**
   * Starts a call, and cancels the one before. Always the same function for a client and name. The promise may be ignored: what it rejects
   * with is `error`, too.
   */
  run(...args: Args): Promise<Result>;
  /** Cancels the call: its promise rejects with an AbortError, and the server's hook is informed. */
  cancel(): void;
}

export interface Call<Client, Args> {
  readonly client: Client;
  readonly name: string;
  readonly args: Args;
  readonly signal: AbortSignal;
}

/** Makes a call. `show` changes what is shown meanwhile; what it resolves to is shown in the end, and its `data` is the result. */
export type Perform<Client, Fields, Args, Result> = (
  call: Call<Client, Args>,
  show: (changes: Partial<Fields>) => void,
) => Promise<Partial<Fields> & { readonly data?: Result }>;

/** What is shown, and for what. */
interface Kept<Client, State> {
  readonly client: Client | undefined;
  readonly name: string;
  readonly state: State;
}

type Keep<Client, State> = (update: (kept: Kept<Client, State>) => Kept<Client, State>) => void;

/** `fields`: what is shown before the first call. They and `perform` are the same at each call of the hook. */
export function useCall<Client, Fields extends object, Args extends readonly unknown[], Result>(
  client: Client | undefined,
  name: string,
  fields: Fields,
  perform: Perform<Client, Fields, Args, Result>,
): Fields & CallState<Args, Result> {
  type State = Fields & CallState<Args, Result>;
  const create = (): Kept<Client, State> => ({
    client,
    name,
    state: createState(client, name, fields, perform, (update) => keep(update)),
  });
  const [kept, keep] = useState(create);
  let { state } = kept;
  if (kept.client !== client || kept.name !== name) {
    // Nothing that was said to another is shown for this one, not even once.
    const other = create();
    keep(other);
    ({ state } = other);
  }
  const { cancel } = state;
  useEffect(() => cancel, [cancel]);
  return state;
}

function createState<Client, Fields extends object, Args extends readonly unknown[], Result>(
  client: Client | undefined,
  name: string,
  fields: Fields,
  perform: Perform<Client, Fields, Args, Result>,
  keep: Keep<Client, Fields & CallState<Args, Result>>,
): Fields & CallState<Args, Result> {
  let controller: AbortController | undefined;

  function show(changes: object): void {
    keep((kept) => (kept.state.run === run ? { ...kept, state: { ...kept.state, ...changes } } : kept));
  }

  function cancel(): void {
    if (!controller) return;
    controller.abort();
    controller = undefined;
    show({ pending: false });
  }

  async function start(args: Args): Promise<Result> {
    controller?.abort();
    const mine = (controller = new AbortController());
    const { signal } = mine;
    const end = (changes: object): void => {
      if (controller !== mine) return;
      controller = undefined;
      show({ pending: false, ...changes });
    };
    show({ pending: true, error: undefined });
    try {
      if (!client) throw new MessageError("not-sent", "there is no client yet [EW504]", { about: name });
      const changes = await perform({ client, name, args, signal }, (some) => signal.aborted || show(some));
      end(changes);
      return changes.data as Result;
    } catch (error) {
      end({
        error:
          error instanceof Error ? error : new Error("rejected with a value that is not an Error: see cause [EW505]", { cause: error }),
      });
      throw error;
    }
  }

  function run(...args: Args): Promise<Result> {
    const result = start(args);
    // Shown: an ignored promise must not count as an unhandled rejection.
    result.catch(() => {});
    return result;
  }

  return { ...fields, pending: false, error: undefined, run, cancel };
}
