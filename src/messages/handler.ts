/** The server's side: builds a raw handler from hooks by name. Other handlers don't load it. */
import { isPromise } from "../values/promise.ts";
import { report } from "../handler/report.ts";
import { watch } from "../handler/internals.ts";
import { isOffer } from "../protocol/positions.ts";
import { deliveryOffer } from "../protocol/delivery.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Connection, MaybePromise, SendResult } from "../api/connection.ts";
import type { AnyCalls, NoCalls } from "../api/calls.ts";
import type { AnyVars, GivenHandler, Handler } from "../api/handler.ts";
import type { Returnable, StateIn, Upgraded } from "../api/upgraded.ts";
import { withAnswering } from "../values/answering.ts";
import { Asks } from "./asks.ts";
import { codecOf, decode, json } from "./codec.ts";
import type { Codec } from "./codec.ts";
import type { Messages } from "./define.ts";
import { own } from "./entries.ts";
import type { Requests, Schemas, ServerEntries } from "./entries.ts";
import { MessageError, invalidPayload } from "./error.ts";
import { badFrame, checkClientFrame, errorFrame, maxCredit } from "./frame.ts";
import type { CreditFrame, MessageFrame, RequestFrame } from "./frame.ts";
import type { InvalidHook, MessageHandler, RawHandler, RequestContext } from "./hooks.ts";
import { PendingRequest, PendingRequests } from "./pending.ts";
import type { StandardResult, StandardSchema } from "./standard.ts";
import { Stream } from "./streams.ts";

/** Hooks as frames look them up: by whatever name came. */
interface AnyHooks<State, Env, Vars> extends RawHandler<State, Env, Vars>, InvalidHook<State, Env> {
  readonly messages?: Record<string, (connection: Connection<State, Env>, payload: unknown) => unknown>;
  readonly requests?: Record<string, (connection: Connection<State, Env>, payload: unknown, context: RequestContext) => unknown>;
}

/**
 * Creates a handler for `defineHandler`.
 *
 * ```ts
 * const chat = defineHandler(
 *   messageHandler(messages, {
 *     messages: {
 *       say: (connection, { text }) => messages.publish(connection, "chat", "said", { from: connection.id, text }),
 *     },
 *   }),
 * );
 * ```
 * Message hooks of a connection run one at a time, in order. Request hooks start in that order and don't wait for each other: a slow answer
 * delays neither later messages nor its own cancellation.
 * @throws TypeError for a message or request without a hook, or a hook with an unknown name; RangeError for an invalid `maxRequests`.
 */
export function messageHandler<
  ToServer extends Schemas,
  ToClient extends ServerEntries,
  Asked extends Requests,
  State = unknown,
  Env = unknown,
  Calls extends AnyCalls = NoCalls,
  Vars = AnyVars,
  Returned extends Returnable = Upgraded<State>,
>(
  messages: Messages<ToServer, ToClient, Asked>,
  handler: MessageHandler<ToServer, Asked, Returned, Env, Calls, Vars>,
): GivenHandler<NoInfer<Returned>, Env, Calls, Vars> {
  const {
    messages: onMessage = {},
    requests: onRequest = {},
    invalid,
    maxRequests = 100,
    ...raw
  } = handler as unknown as AnyHooks<StateIn<Returned>, Env, Vars>;
  if ("message" in raw || "protocols" in raw) throw new TypeError("messageHandler makes message and protocols itself [EW542]");
  checkHooks("messages", messages.toServer, onMessage);
  checkHooks("requests", messages.requests, onRequest);
  if (!Number.isInteger(maxRequests) || maxRequests < 1) {
    throw new RangeError(`option "maxRequests" is ${String(maxRequests)}: use 1 or more [EW543]`);
  }
  type Client = Connection<StateIn<Returned>, Env>;
  const { codecs } = messages;
  const pending = new PendingRequests<Client>();
  const asks = new Asks(messages);

  function send(connection: Client, frame: object): SendResult {
    return connection.send(codecOf(codecs, connection.protocol).encode(frame));
  }

  function refuseFrame(connection: Client, problem: MessageError, id?: number): void {
    send(connection, errorFrame(problem, id));
    invalid?.(connection, problem);
  }

  function receive(connection: Client, frame: ReturnType<typeof checkClientFrame>): MaybePromise<void> {
    if (frame.type === "cancel") return pending.cancel(connection, frame.id);
    if (frame.type === "credit") return allow(connection, frame);
    if (frame.type === "result" || frame.type === "error") return asks.answered(connection, frame);
    if (frame.type === "message") {
      const schema = own(messages.toServer, frame.name);
      return parse(connection, frame, schema, (payload) => tell(connection, frame.name, payload));
    }
    const { payload: schema, result, item } = own(messages.requests, frame.name) ?? {};
    // A request names what it expects, as it names a message or a request.
    const given = (frame.credit === undefined) === (item === undefined) ? schema : undefined;
    return parse(connection, frame, given, (payload) => ask(connection, frame, result ?? item, payload));
  }

  /** More credit for a stream. */
  function allow(connection: Client, { id, n }: CreditFrame): void {
    const stream = pending.get(connection, id);
    // It ended while the frame was on its way, and the client knows; or an eviction has ended it, and the client does not.
    if (stream === undefined) return void send(connection, errorFrame(interrupted(), id));
    if (stream instanceof Stream && !stream.add(n)) refuseFrame(connection, badFrame(`a stream has at most ${maxCredit} of credit`));
  }

  /** Passes on the payload if its schema accepts it; otherwise answers with an error. */
  function parse(
    connection: Client,
    frame: MessageFrame | RequestFrame,
    schema: StandardSchema | undefined,
    use: (payload: unknown) => MaybePromise<void>,
  ): MaybePromise<void> {
    const { type, name, payload } = frame;
    const id = frame.type === "request" ? frame.id : undefined;
    if (schema === undefined) {
      const kind = frame.type === "request" && frame.credit !== undefined ? "stream" : type;
      return refuseFrame(connection, new MessageError("unknown-name", `there is no ${kind} "${name}" [EW544]`, { about: name }), id);
    }
    const finish = (result: StandardResult<unknown>): MaybePromise<void> =>
      result.issues === undefined ? use(result.value) : refuseFrame(connection, invalidPayload(name, result.issues), id);
    const result = schema["~standard"].validate(payload);
    // A connection that closed meanwhile gets no more messages.
    return isPromise(result) ? result.then((later) => (connection.phase === "open" ? finish(later) : undefined)) : finish(result);
  }

  function tell(connection: Client, name: string, payload: unknown): MaybePromise<void> {
    const refused = (error: unknown): void => {
      if (!(error instanceof MessageError)) throw error;
      send(connection, errorFrame(error, undefined, name));
    };
    try {
      const running = onMessage[name]?.(connection, payload);
      if (isPromise(running)) return running.then(() => {}, refused);
    } catch (error) {
      refused(error);
    }
  }

  function ask(connection: Client, { id, name, credit }: RequestFrame, schema: StandardSchema | undefined, payload: unknown): void {
    // Without the id: with it, the client would take this for the answer to the first request.
    if (pending.get(connection, id) !== undefined) return refuseFrame(connection, badFrame(`a request with the id ${id} is pending`));
    if (pending.count(connection) >= maxRequests) {
      return refuseFrame(
        connection,
        new MessageError("too-many-requests", `${maxRequests} requests are pending [EW545]`, { about: name }),
        id,
      );
    }
    const check = (value: unknown): void => {
      if (schema !== undefined) messages.checkSent(schema, name, value);
    };
    const over = (): void => pending.end(connection, id);
    const failed = (error: unknown): void => {
      const problem = error instanceof MessageError ? error : new MessageError("internal", "Internal error [EW519]");
      if (!request.cancelled) send(connection, errorFrame(problem, id, name));
      if (problem !== error) void report(raw, undefined, error, { hook: "message", connection });
    };
    const result = (value?: unknown): void => void send(connection, { type: "result", id, payload: value });
    const item = (value: unknown): boolean => {
      check(value);
      const sent = send(connection, { type: "item", id, payload: value });
      // The client would not know that one is missing.
      if (sent === "dropped") failed(interrupted());
      return sent === "sent" || sent === "backpressure";
    };
    const stream = credit === undefined ? undefined : new Stream(credit, connection.signal, { item, result, failed, over });
    const request = pending.start(connection, id, stream ?? new PendingRequest());
    const done = (value: unknown): void => {
      if (stream !== undefined) return stream.begin(name, value);
      check(value);
      if (!request.cancelled) result(value);
      over();
    };
    const rejected = (error: unknown): void => {
      if (stream !== undefined) return stream.fail(error);
      over();
      if (!request.caused(error)) failed(error);
    };
    try {
      const running = onRequest[name]?.(connection, payload, request);
      if (isPromise(running)) watch(connection, running.then(done).then(undefined, rejected), name);
      else done(running);
    } catch (error) {
      rejected(error);
    }
  }

  const rawHandler: Handler<StateIn<Returned>, Env, Calls, Vars> = {
    ...raw,
    protocols: messages.protocols,
    upgrade: (request, context) => refuseProtocols(request, codecs) ?? raw.upgrade?.(request, context),
    message(connection, data) {
      let frame: ReturnType<typeof checkClientFrame>;
      try {
        frame = checkClientFrame(decode(codecOf(codecs, connection.protocol), data));
      } catch (error) {
        return refuseFrame(connection, error as MessageError);
      }
      return receive(connection, frame);
    },
    ...(raw.open === undefined ? {} : { open: (connection) => unlessLeft(connection, raw.open?.(connection)) }),
    close(connection, closing) {
      pending.cancelAll(connection);
      return raw.close?.(connection, closing);
    },
  };
  // Besides what the hook returned it may return a refusal, from which no state follows.
  return withAnswering(rawHandler, asks) as unknown as GivenHandler<NoInfer<Returned>, Env, Calls, Vars>;
}

/** A stream that an eviction ended, or whose item was dropped. */
function interrupted(): MessageError {
  return new MessageError("interrupted", "The stream was interrupted [EW546]");
}

/** A client that leaves while `open` asks it is no failure of `open`. */
function unlessLeft(connection: { readonly phase: string }, running: MaybePromise<void>): MaybePromise<void> {
  if (!isPromise(running)) return running;
  return running.then(undefined, (error: unknown) => {
    if (connection.phase === "open" || (error as Partial<MessageError> | undefined)?.code !== "closed") throw error;
  });
}

/** A client that offers nothing speaks JSON. One that offers only other subprotocols would fail the connection itself, without a reason. */
function refuseProtocols(request: Request, codecs: readonly Codec[]): Response | undefined {
  const listed = request.headers.get("sec-websocket-protocol")?.split(/\s*,\s*/) ?? [];
  // With delivery, the codec's subprotocol is a part of the one that is offered.
  const offered = deliveryOffer(listed)?.inner.filter(Boolean) ?? listed.filter((protocol) => !isOffer(protocol));
  if (offered.length === 0 ? codecs.includes(json) : codecs.some(({ protocol }) => offered.includes(protocol))) return undefined;
  const supported = codecs.map(({ protocol }) => protocol).join(", ");
  return refuse(400, `no codec in common: the client offers ${offered.join(", ") || "none"}, the server has ${supported}`);
}

function checkHooks(where: string, names: object, hooks: object): void {
  for (const name of Object.keys(names)) {
    if (typeof (hooks as Record<string, unknown>)[name] !== "function")
      throw new TypeError(`messageHandler: hook ${where}.${name} is missing [EW547]`);
  }
  for (const name of Object.keys(hooks)) {
    if (!Object.hasOwn(names, name)) {
      throw new TypeError(`messageHandler: ${where} has no "${name}": names are ${Object.keys(names).join(", ") || "none"} [EW548]`);
    }
  }
}
