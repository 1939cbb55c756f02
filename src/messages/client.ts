/** The client's side: typed messages and requests over anything that works like a WebSocket. */
import type { Data, MaybePromise } from "../api/connection.ts";
import { rethrow } from "../values/rethrow.ts";
import { pongText } from "../protocol/text-ping.ts";
import { makeAnswers } from "./answers.ts";
import type { AnswerContext, Answers } from "./answers.ts";
import { codecOf, decode, json } from "./codec.ts";
import type { AnyMessages } from "./define.ts";
import { known } from "./entries.ts";
import type { NamesOf, Payload, RequestSchemas, StreamSchemas } from "./entries.ts";
import { MessageError } from "./error.ts";
import { deadlineOf, makeExchanges } from "./exchange.ts";
import type { Exchanges, RequestOptions } from "./exchange.ts";
import { checkServerFrame, errorOf } from "./frame.ts";
import type { ErrorFrame, ServerFrame } from "./frame.ts";
import { listen, tell } from "../values/listeners.ts";
import { makeParser } from "./parse.ts";
import { makePositions } from "./topics/positions.ts";
import type { Gap, MessagePosition } from "./topics/positions.ts";
import type { Presence, PresenceList, PresenceState } from "./topics/presence-list.ts";
import { anything } from "./standard.ts";
import type { Received, Sent, StandardSchema } from "./standard.ts";
import { openStream } from "./stream.ts";
import type { StreamOptions } from "./stream.ts";

/** The part of a WebSocket that is used: the runtime's own, `ws`'s, a ReconnectingWebSocket. */
export interface MessageSocket {
  readonly readyState: number;
  readonly protocol: string | null;
  binaryType?: string;
  /** Subprotocols to offer besides, if it reconnects: asked for before each attempt. */
  offer?(more: () => readonly string[]): void;
  send(data: Data): unknown;
  /** Of a socket with delivery: says what was lost, instead of `disconnect`. Its `send` has a second parameter, which learns what becomes of the message. */
  carry?(client: CarriedMessages): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "open" | "close", listener: () => void): void;
}

/** A client of these messages: `MessageClient<typeof messages>`. With the socket's type, `send` returns what that socket's does. */
export interface MessageClient<Given extends AnyMessages, Socket extends MessageSocket = MessageSocket> {
  /** Sends a message. Returns and throws what the socket's `send` does. */
  send<Name extends keyof Given["toServer"] & string>(name: Name, ...payload: Payload<Given["toServer"][Name]>): ReturnType<Socket["send"]>;
  /** Listens to a message, and to where it is in its topic's history if the server sends that. Returns a function that stops listening. */
  on<Name extends NamesOf<Given["toClient"], StandardSchema>>(
    name: Name,
    listener: (payload: Received<Extract<Given["toClient"][Name], StandardSchema>>, position: MessagePosition | undefined) => void,
  ): () => void;
  /**
   * Listens to gaps: messages of a topic are lost to this client, or it can't be known whether there were any. Called before the messages that
   * follow, once for each loss. Returns a function that stops listening.
   */
  onGap(listener: (gap: Gap) => void): () => void;
  /**
   * Who is in the room, as the server's `messages.presence(topic)` says. The same object for the same topic.
   * @throws TypeError for an invalid topic, or if the definition has no `presence`.
   */
  presence(topic: Given["presenceDefinition"] extends undefined ? never : string): PresenceList<PresenceState<Given>>;
  /**
   * Sends a request, and resolves to the result. Rejects with a MessageError: the server's error, or one with these codes.
   * `invalid-payload`: the result's schema refuses it. `deadline`: no answer in time. `closed`: the connection was lost, and the request may or may not have
   * run; nothing is sent again. `not-sent`: the socket is not open and queues nothing. Over a DeliverySocket a lost connection rejects nothing; `interrupted` says that the server has lost
   * the request, which may or may not have run.
   */
  request<Name extends NamesOf<Given["requests"], RequestSchemas>>(
    name: Name,
    ...payload: [...Payload<Given["requests"][Name]["payload"]>, options?: RequestOptions]
  ): Promise<Received<Extract<Given["requests"][Name], RequestSchemas>["result"]>>;
  /**
   * Asks for a stream: `for await (const token of client.stream("ask", { prompt }))`. The request is sent, and the server works, as the loop asks for
   * items. Leaving the loop cancels it. Rejects with a MessageError as `request` does. It is `interrupted` if the connection was lost (not over a DeliverySocket), or
   * if the server no longer knows the stream after an eviction or a restart.
   * @throws TypeError, RangeError for an unknown name or an invalid option.
   */
  stream<Name extends NamesOf<Given["requests"], StreamSchemas>>(
    name: Name,
    ...payload: [...Payload<Given["requests"][Name]["payload"]>, options?: StreamOptions]
  ): AsyncIterableIterator<Received<Extract<Given["requests"][Name], StreamSchemas>["item"]>>;
  /**
   * Answers what the server asks, with what the handler returns or resolves to; one handler for each name. A MessageError that it throws reaches the server with its code,
   * any other error as `internal`, and is thrown as a listener's is. Without a handler the answer is `unknown-name`. Returns a function that stops
   * answering. @throws TypeError for an unknown name, Error if there is a handler.
   */
  answer<Name extends NamesOf<Given["toClient"], RequestSchemas>>(
    name: Name,
    handler: (
      payload: Received<Extract<Given["toClient"][Name], RequestSchemas>["payload"]>,
      context: AnswerContext,
    ) => MaybePromise<Sent<Extract<Given["toClient"][Name], RequestSchemas>["result"]>>,
  ): () => void;
  /**
   * Listens to errors that belong to no request: the server's errors about messages, and invalid data that it sent.
   * Returns a function that stops listening.
   */
  onError(listener: (error: MessageError) => void): () => void;
}

interface CarryingSocket {
  send(data: Data, settled?: () => void): unknown;
}

/** What a socket with delivery has to tell when something was lost. */
export interface CarriedMessages {
  readonly presence: Pick<Presence, "lost"> | undefined;
  readonly answers: Pick<Answers, "lost">;
  readonly exchanges: Pick<Exchanges, "lost">;
  gap(gap: Gap): void;
}

interface Subscription {
  readonly schema: StandardSchema;
  readonly listeners: Set<(payload: never, position: MessagePosition | undefined) => void>;
}

/**
 * Speaks messages over a socket that offered `messages.protocols`.
 *
 * ```ts
 * const client = messageClient(messages, new ReconnectingWebSocket(url, messages.protocols));
 * client.on("said", ({ from, text }) => console.log(from, text));
 * client.send("say", { text: "hello" });
 * const lines = await client.request("history", { last: 10 });
 * ```
 */
export function messageClient<Given extends AnyMessages, Socket extends MessageSocket>(
  messages: Given,
  socket: Socket,
): MessageClient<Given, Socket> {
  const { codecs, protocols } = messages;
  const subscriptions = new Map<string, Subscription>();
  const errorListeners = new Set<(error: MessageError) => void>();
  const parse = makeParser();
  const exchanging = { socket, parse, write };
  const exchanges = makeExchanges(exchanging);
  const answers = makeAnswers(messages, exchanging);
  const positions = makePositions(!!socket.carry);
  const gapListeners = new Set<(gap: Gap) => void>();
  const presence = messages.presenceDefinition?.makeLists(parse, refuse);

  if (socket.binaryType !== undefined) socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    if (data === pongText) return;
    try {
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Data);
      receive(checkServerFrame(decode(codecOf(codecs, socket.protocol ?? ""), bytes)));
    } catch (error) {
      refuse(error);
    }
  });
  const opened = (): void => {
    const chosen = socket.protocol ?? "";
    // Only then: a browser fails a connection that offers subprotocols and gets none.
    if (chosen) socket.offer?.(positions.offer);
    if (chosen === "" ? codecs.includes(json) : protocols.includes(chosen)) return;
    emitError(
      new MessageError("no-codec", `the server chose ${chosen || "no subprotocol"}, this client has ${protocols.join(", ")} [EW527]`),
    );
  };
  const lost = (): void => {
    presence?.lost();
    exchanges.lost();
    answers.lost();
  };
  // A moment later: the application has added its error listener by then.
  if (socket.readyState === 1) queueMicrotask(opened);
  socket.addEventListener("open", opened);
  socket.addEventListener("close", lost);
  if (socket.carry) {
    socket.carry({ presence, answers, exchanges, gap: tellGap });
  } else {
    // For ReconnectingWebSocket, which closes only when it gives up.
    (socket as { addEventListener(type: string, listener: () => void): void }).addEventListener("disconnect", lost);
  }

  function emitError(error: MessageError): void {
    if (errorListeners.size === 0) console.warn(`edgewire: ${error.code}: ${error.message}`);
    tell(errorListeners, error);
  }

  /** A frame or payload is invalid. A failure of a schema or codec itself is reported like a listener's: workerd would close for it. */
  function refuse(error: unknown): void {
    if (error instanceof MessageError) emitError(error);
    else rethrow(error);
  }

  function receive(frame: ServerFrame): void {
    if (frame.type === "message") {
      const { name, payload } = frame;
      const position = positions.accept(frame);
      const one = subscriptions.get(name);
      if (one && position !== null) parse(one.schema, name, payload, (value) => tell(one.listeners, value as never, position), refuse);
    } else if (frame.type === "position") {
      const gap = positions.start(frame);
      if (gap) tellGap(gap);
    } else if (frame.type === "presence") presence?.receive(frame);
    else if (frame.type === "request" || frame.type === "cancel") answers.asked(frame);
    else if (frame.id === undefined) emitError(errorOf(frame as ErrorFrame));
    else exchanges.answered(frame as Parameters<Exchanges["answered"]>[0]);
  }

  /** In its place, behind messages whose schema is asynchronous. */
  function tellGap(gap: Gap): void {
    parse(anything, gap.topic, gap, () => tell(gapListeners, gap), refuse);
  }

  function write(frame: object, settled?: () => void): ReturnType<Socket["send"]> {
    // The next connection's codec is not known before the connection is open.
    const codec = socket.readyState === 1 ? codecOf(codecs, socket.protocol ?? "") : messages.shared;
    // Other sockets take a function for something else.
    return (socket as CarryingSocket).send(codec.encode(frame), socket.carry && settled) as ReturnType<Socket["send"]>;
  }

  return {
    send(name, ...[payload]) {
      messages.checkSent(known("toServer", messages.toServer, name, "~standard"), name, payload);
      return write({ type: "message", name, payload });
    },
    on(name, listener) {
      const { listeners } = subscriptions.get(name) ?? { listeners: new Set() };
      subscriptions.set(name, { schema: known("toClient", messages.toClient, name, "~standard"), listeners: listeners.add(listener) });
      return () => void listeners.delete(listener);
    },
    answer: answers.answer,
    onError: (listener) => listen(errorListeners, listener),
    onGap: (listener) => listen(gapListeners, listener),
    presence(topic) {
      if (!presence) throw new TypeError("presence: defineMessages needs presence: presence(schema) [EW528]");
      return presence.list(topic) as PresenceList<PresenceState<Given>>;
    },
    request(name, ...[payload, given]) {
      const options: RequestOptions = given ?? {};
      let timer: ReturnType<typeof setTimeout>;
      return new Promise<never>((resolve, reject) => {
        const { payload: schema, result } = known("requests", messages.requests, name, "result");
        const deadline = deadlineOf(options);
        messages.checkSent(schema, name, payload);
        const { cancel } = exchanges.ask({ name, payload, result, resolve: resolve as (value: unknown) => void, reject }, options);
        timer = setTimeout(() => {
          cancel(new MessageError("deadline", `"${name}" was not answered within ${deadline} ms [EW524]`, { about: name }));
        }, deadline);
      }).finally(() => clearTimeout(timer));
    },
    stream(name, ...[payload, options]) {
      const { payload: schema, item } = known("requests", messages.requests, name, "item");
      messages.checkSent(schema, name, payload);
      return openStream({ ...exchanging, ...exchanges }, item, name, payload, options ?? {}) as AsyncIterableIterator<never>;
    },
  };
}
