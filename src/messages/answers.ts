/** The client's answers to what a server asks. */
import { rethrow } from "../values/rethrow.ts";
import type { AnyMessages } from "./define.ts";
import { known } from "./entries.ts";
import { MessageError } from "./error.ts";
import type { Exchanging } from "./exchange.ts";
import { errorFrame } from "./frame.ts";
import type { CancelFrame, RequestFrame } from "./frame.ts";

/** What a handler of `answer` gets besides the payload. */
export interface AnswerContext {
  /** Aborts when the server no longer waits, or the connection is lost. */
  readonly signal: AbortSignal;
}

type AnswerHandler = (payload: never, context: AnswerContext) => unknown;

export interface Answers {
  /** @throws TypeError for an unknown name, Error for one that has a handler. */
  answer(name: string, handler: AnswerHandler): () => void;
  /** The server asks, or no longer waits. */
  asked(frame: RequestFrame | CancelFrame): void;
  lost(): void;
}

export function makeAnswers({ toClient, checkSent }: AnyMessages, { parse, write }: Omit<Exchanging, "socket">): Answers {
  const handlers = new Map<string, AnswerHandler>();
  /** What is being answered on the current connection, by the server's id. */
  const running = new Map<number, AbortController>();

  function cancel(id: number): void {
    running.get(id)?.abort();
    running.delete(id);
  }

  return {
    answer(name, handler) {
      known("toClient", toClient, name, "result");
      if (handlers.has(name)) throw new Error(`"${name}" has a handler [EW518]`);
      handlers.set(name, handler);
      return () => void (handlers.get(name) === handler && handlers.delete(name));
    },
    asked(frame) {
      const { id } = frame;
      if (frame.type === "cancel") return cancel(id);
      const { name } = frame;
      const controller = new AbortController();
      const reply = (answer: object): void => {
        if (running.get(id) !== controller) return;
        write(answer);
        running.delete(id);
      };
      const refuse = (error: unknown): void => {
        const told = error instanceof MessageError;
        try {
          reply(errorFrame(told ? error : new MessageError("internal", "Internal error [EW519]"), id, name));
        } catch {
          // The socket accepts nothing any more.
        }
        if (!told && error !== controller.signal.reason) rethrow(error);
      };
      const answer = async (value: unknown): Promise<void> => {
        try {
          const payload = await handler?.(value as never, controller);
          checkSent(schemas.result, name, payload);
          reply({ type: "result", id, payload });
        } catch (error) {
          refuse(error);
        }
      };
      running.set(id, controller);
      const handler = handlers.get(name);
      if (handler === undefined) return refuse(new MessageError("unknown-name", `nobody answers "${name}" [EW520]`));
      const schemas = known("toClient", toClient, name, "result");
      parse(schemas.payload, name, frame.payload, (value) => void answer(value), refuse);
    },
    lost: () => running.forEach((_controller, id) => cancel(id)),
  };
}
