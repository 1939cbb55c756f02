/** What a server has asked its clients, and waits for. Only in memory: after an eviction nobody waits, and an answer that comes is nothing. */
import type { Data } from "../api/connection.ts";
import { timersOf } from "../handler/internals.ts";
import type { Answering } from "../values/answering.ts";
import { isPromise } from "../values/promise.ts";
import { codecOf, decode } from "./codec.ts";
import type { AnyMessages } from "./define.ts";
import { MessageError, invalidPayload } from "./error.ts";
import { deadlineOf } from "./exchange.ts";
import { checkClientFrame, errorOf } from "./frame.ts";
import type { AnswerFrame } from "./frame.ts";
import type { AskedConnection, RequestSchemas } from "./entries.ts";
import type { RequestOptions } from "./exchange.ts";
import type { StandardResult, StandardSchema } from "./standard.ts";

/** Answers of one client that may be pending. */
const maxAsks = 100;

interface Ask {
  readonly name: string;
  readonly result: StandardSchema;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface AskedClient {
  readonly asks: Map<number, Ask>;
  lastId: number;
}

export class Asks implements Answering<AskedConnection> {
  readonly #messages: AnyMessages;
  readonly #clients = new WeakMap<AskedConnection, AskedClient>();

  constructor(messages: AnyMessages) {
    this.#messages = messages;
  }

  /** Whether it asks what these messages define. */
  speaks({ toClient }: Pick<AnyMessages, "toClient">): boolean {
    return toClient === this.#messages.toClient;
  }

  owes(connection: AskedConnection): boolean {
    return (this.#clients.get(connection)?.asks.size ?? 0) > 0;
  }

  take(connection: AskedConnection, data: Data): boolean {
    try {
      const frame = checkClientFrame(decode(codecOf(this.#messages.codecs, connection.protocol), data));
      if (frame.type !== "result" && frame.type !== "error") return false;
      this.answered(connection, frame);
      return true;
    } catch {
      // Not a frame: it is refused in its turn.
      return false;
    }
  }

  /** Nothing happens if nobody waits: the deadline has passed, or an eviction has forgotten it. */
  answered(connection: AskedConnection, frame: AnswerFrame): void {
    const asks = this.#clients.get(connection)?.asks;
    const ask = asks?.get(frame.id);
    if (ask === undefined) return;
    // A second answer is nothing. The deadline still holds until the result is checked.
    asks?.delete(frame.id);
    if (frame.type === "error") return ask.reject(errorOf(frame));
    const { name, result, resolve, reject } = ask;
    const finish = (checked: StandardResult<unknown>): void =>
      checked.issues === undefined ? resolve(checked.value) : reject(invalidPayload(name, checked.issues));
    try {
      const checked = result["~standard"].validate(frame.payload);
      if (isPromise(checked)) checked.then(finish, reject);
      else finish(checked);
    } catch (error) {
      reject(error);
    }
  }

  /** Asks the client. @throws (rejects with) MessageError, and what is wrong with the arguments. */
  async ask(
    connection: AskedConnection,
    name: string,
    { payload: schema, result }: RequestSchemas,
    payload: unknown,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const { signal } = options;
    const deadline = deadlineOf(options);
    this.#messages.checkSent(schema, name, payload);
    const codec = codecOf(this.#messages.codecs, connection.protocol);
    const problem = (code: string, message: string): MessageError => new MessageError(code, message, { about: name });
    const client = this.#clientOf(connection);
    if (client.asks.size >= maxAsks) throw problem("too-many-requests", `${maxAsks} requests to this client are pending [EW521]`);
    if (signal?.aborted) throw signal.reason;
    const id = ++client.lastId;
    const timers = timersOf(connection);
    const request = codec.encode({ type: "request", id, name, payload });

    return new Promise((resolve, reject) => {
      const over =
        (use: (value: never) => void) =>
        (value: unknown): void => {
          client.asks.delete(id);
          timers.clearTimeout(timer);
          signal?.removeEventListener("abort", cancelled);
          connection.signal.removeEventListener("abort", closed);
          use(value as never);
        };
      const fail = over(reject);
      /** Why nothing can be sent: a connection that has not ended is one that an eviction has left behind. */
      const unreachable = (): MessageError =>
        connection.phase === "open"
          ? problem("interrupted", `"${name}" was interrupted: the server has forgotten the connection [EW522]`)
          : problem("closed", `the connection closed before "${name}" was answered [EW523]`);
      /** Returns whether the client can be reached. */
      const withdraw = (): boolean => !client.asks.has(id) || connection.send(codec.encode({ type: "cancel", id })) !== "closed";
      const closed = (): void => fail(unreachable());
      const cancelled = (): void => {
        withdraw();
        fail(signal?.reason);
      };
      const timer = timers.setTimeout(() => {
        fail(withdraw() ? problem("deadline", `"${name}" was not answered within ${deadline} ms [EW524]`) : unreachable());
      }, deadline);
      signal?.addEventListener("abort", cancelled);
      connection.signal.addEventListener("abort", closed);
      client.asks.set(id, { name, result, resolve: over(resolve), reject: fail });
      const sent = connection.send(request);
      if (sent === "closed") closed();
      else if (sent === "dropped") fail(problem("not-sent", "the client reads too slowly: the request was dropped [EW525]"));
      else (connection as { readOn?(): void }).readOn?.();
    });
  }

  /** Ids begin anywhere, so that an answer to what was asked before an eviction is none to what is asked after it. */
  #clientOf(connection: AskedConnection): AskedClient {
    let client = this.#clients.get(connection);
    if (client === undefined) {
      client = { asks: new Map(), lastId: Math.floor(Math.random() * 2 ** 52) };
      this.#clients.set(connection, client);
    }
    return client;
  }
}
