/**
 * A connection as it is stored: what outlives its memory where the runtime hibernates, and is the same everywhere else. The first of the
 * classes that a connection consists of, each of which has one side of it: an object for each side would be a look into memory more for
 * every message, and 16 bytes and more for every connection.
 */
import type { Live } from "./connection.ts";
import { Ending } from "./closing.ts";
import type { Server } from "../server/server.ts";
import { decodeRest, encodedBytes, fitsApart, fitsByLength } from "./snapshot.ts";
import type { Rest, Stateless, Woken } from "./snapshot.ts";
import { forgetState, keepClosing, keepRest, keepState, withState } from "./state.ts";
import type { Phase } from "../api/connection.ts";
import type { ConnectionInfo } from "../api/room.ts";
import type { Socket } from "../ports.ts";

export abstract class Kept<State, Env> {
  // What every message looks at comes first: in one line of the processor's cache, of which a fan-out meets a new one for each subscriber.
  #phase: Phase;
  readonly #server: Server<State, Env>;
  readonly #socket: Socket;
  readonly id: string;
  readonly roomName: string;
  /** Encoded until somebody asks: an object wakes ten thousand connections for a message to one. */
  #rest: Rest | string;
  /** Shared with other connections that woke with the same ones, until it subscribes or unsubscribes itself. */
  #topics: ReadonlySet<string> | undefined;
  /** Their encoded size, once they are its own. */
  #topicBytes: number | undefined;
  #ending: Ending | undefined;
  #expiresAt: number | undefined;
  #presence: string | undefined;

  constructor(server: Server<State, Env>, socket: Socket, { id, head, rest, expiresAt, presence }: Woken) {
    this.#phase = head.phase;
    this.#server = server;
    this.#socket = socket;
    this.id = id;
    this.roomName = head.room;
    this.#topics = head.topics;
    this.#rest = rest;
    this.#expiresAt = expiresAt;
    this.#presence = presence;
    if (head.phase !== "open") this.willEnd.closing = this.#decoded.closing;
  }

  /** The whole of it: no connection is of this class alone. */
  protected abstract get live(): Live<State, Env>;

  protected get server(): Server<State, Env> {
    return this.#server;
  }

  get socket(): Socket {
    return this.#socket;
  }

  get phase(): Phase {
    return this.#phase;
  }

  protected set phase(phase: Phase) {
    this.#phase = phase;
  }

  protected get ending(): Ending | undefined {
    return this.#ending;
  }

  protected get willEnd(): Ending {
    return (this.#ending ??= new Ending());
  }

  get #decoded(): Rest {
    return (this.#rest = decodeRest(this.#rest));
  }

  get url(): string {
    return this.#decoded.url;
  }

  get protocol(): string {
    return this.#decoded.protocol;
  }

  get remoteAddress(): string {
    return this.#decoded.remoteAddress;
  }

  get state(): Readonly<State> {
    this.#rest = withState(this.#server, this, this.#decoded);
    return this.#rest.state as State;
  }

  get topics(): ReadonlySet<string> {
    return this.#topics ?? noTopics;
  }

  /** @throws RangeError if the connection could not be stored with it. */
  protected addTopic(topic: string): void {
    const topics = this.#ownTopics();
    topics.add(topic);
    this.#topicBytes = (this.#topicBytes ?? 0) + encodedBytes(topic);
    this.store(() => this.#dropTopic(topics, topic));
  }

  protected removeTopic(topic: string): void {
    this.#dropTopic(this.#ownTopics(), topic);
  }

  #dropTopic(topics: Set<string>, topic: string): void {
    topics.delete(topic);
    this.#topicBytes = (this.#topicBytes ?? 0) - encodedBytes(topic);
  }

  #ownTopics(): Set<string> {
    if (this.#topicBytes !== undefined) return this.#topics as Set<string>;
    const topics = (this.#topics = new Set(this.#topics));
    this.#topicBytes = 0;
    for (const topic of topics) this.#topicBytes += encodedBytes(topic);
    return topics;
  }

  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  protected set expiresAt(time: number | undefined) {
    this.#expiresAt = time;
  }

  /** Encoded: what it has said of its member. */
  get presence(): string | undefined {
    return this.#presence;
  }

  protected set presence(encoded: string | undefined) {
    this.#presence = encoded;
  }

  /** What is seen of it from outside. */
  get info(): ConnectionInfo<State> {
    const { id, url, protocol, remoteAddress, state } = this;
    return { id, url, protocol, remoteAddress, state, topics: [...this.topics] };
  }

  /** What is stored of it, besides its state. */
  get snapshot(): Stateless {
    const { id, url, protocol, remoteAddress } = this;
    const closing = this.#ending?.closing === undefined ? {} : { closing: this.#ending.closing };
    const expiresAt = this.#expiresAt === undefined ? {} : { expiresAt: this.#expiresAt };
    const presence = this.#presence === undefined ? {} : { presence: this.#presence };
    return {
      id,
      room: this.roomName,
      url,
      protocol,
      remoteAddress,
      version: this.#server.settings.version,
      topics: [...this.topics],
      // Nothing is left to do for one that never opened: it is not woken.
      phase: this.#ending?.refused === true ? "closed" : this.#phase,
      ...closing,
      ...expiresAt,
      ...presence,
    };
  }

  setState(state: State): void {
    this.#rest = keepState(this.#server, this, this.#decoded, state);
  }

  /** Stores what the connection starts from, where there is a store. */
  keep(): void {
    if (this.#socket.save !== undefined) this.setState(this.state as State);
  }

  /** Stores it as it is now, or takes back what has changed. Where nothing is stored, what could not be stored is refused all the same. */
  protected store(undo: () => void): void {
    try {
      if (this.#socket.save !== undefined || !this.#surelyFits()) this.#rest = keepRest(this.#server, this, this.#decoded);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Whether it could be stored. The state need not be encoded to know: it could be stored apart. */
  #surelyFits(): boolean {
    const { id, roomName, url, protocol, remoteAddress } = this;
    const length = id.length + roomName.length + url.length + protocol.length + remoteAddress.length + (this.#presence?.length ?? 0);
    return fitsByLength(length, this.#topicBytes) || fitsApart(this.snapshot);
  }

  /** The same for one that closes. Never throws: it closes all the same. */
  protected storeClosing(): void {
    try {
      keepClosing(this, this.#decoded);
    } catch (error) {
      this.#unstored(error);
    }
  }

  /** It is over: its state is kept for its close hook alone. Never throws. */
  protected forget(): void {
    try {
      this.#rest = forgetState(this.#server, this, this.#decoded, (error) => this.#unstored(error));
    } catch (error) {
      this.#unstored(error);
    }
  }

  /** Told in a later turn: here it is between two phases, where the `error` hook must not find it. */
  #unstored(cause: unknown): void {
    const error = new Error(`the end of connection ${this.id} can't be stored: ${String(cause)}`, { cause });
    queueMicrotask(() => void this.#server.failed(error, { hook: "close", connection: this.live }));
  }
}

const noTopics: ReadonlySet<string> = new Set();
