/** The context of a case: clients of one runtime, its log and evictions, and the checks after every case. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Stats } from "edgewire";
import { runtimeOf, type Column } from "./case.ts";
import { dial, type Client } from "./client.ts";
import type { HandlerName } from "./handler.ts";
import type { Entry } from "./log.ts";
import type { Host, Refusal, RoomCalls, ServerCalls } from "./host.ts";
import type { Peer } from "./peer.ts";
import type { Listener } from "./runtimes.ts";
import type { Script, UpgradeStep } from "./script.ts";
import { marks } from "./show.ts";
import { encodeRequest, type HeaderList } from "../wire/http.ts";

export interface ConnectOptions {
  /** The name of the handler. Default: "main". */
  readonly on?: Listener;
  /** Default: a room for this case, so that cases don't affect each other. */
  readonly room?: string;
  readonly upgrade?: readonly UpgradeStep[];
  readonly open?: Script;
  /** Only the handler "waking" has the hook. */
  readonly wake?: Script;
  /** "run": runs each message as a script. Default: echoes messages. */
  readonly message?: Script | "run";
  readonly close?: Script;
  readonly drain?: Script;
  readonly drop?: Script;
  readonly error?: Script;
  readonly headers?: HeaderList;
  readonly path?: string;
  readonly method?: string;
  readonly version?: string;
  readonly early?: Uint8Array;
  /** Whether the `open` hook will run; false if the room can't be opened. Default: true. */
  readonly opens?: boolean;
  /** Answer the server's close. Default: true. */
  readonly answersClose?: boolean;
  /** Answer the server's pings. Default: true. */
  readonly answersPing?: boolean;
}

export class Context {
  readonly column: Column;
  readonly tag: string;
  readonly #host: Host;
  readonly #wait: number;
  #peers: Peer[] = [];
  #clients: Client[] = [];
  #count = 0;
  /** Accepted connections whose room can't be opened. */
  #unopened = 0;

  constructor(host: Host, column: Column, tag: string, wait: number) {
    this.#host = host;
    this.column = column;
    this.tag = tag;
    this.#wait = wait;
  }

  /** Connects a client; fails if its handshake is refused. */
  async connect(options: ConnectOptions = {}): Promise<Peer> {
    await this.#killIfAlone();
    const number = ++this.#count;
    const target = this.target(options, number);
    const peer = await this.#host.connect(options, target, this.#wait);
    this.#peers.push(peer);
    if (options.opens === false) this.#unopened++;
    peer.number = number;
    peer.place = `${options.on ?? "main"} ${this.room(options.room)}`;
    peer.after = (): Promise<void> => this.#evictWhere(peer, options);
    if (this.column === "evicted" && options.opens !== false)
      await this.until(`open of ${number}`, (entry) => entry.done === "open" && entry.peer === number);
    await peer.after();
    return peer;
  }

  /** Sends a handshake on a raw socket, and accepts any answer. */
  async handshake(options: ConnectOptions & { readonly target?: string; readonly absolute?: boolean } = {}): Promise<Client> {
    const { on = "main", method, version, headers = [], absolute = false } = options;
    const target = options.target === undefined ? this.target(options) : `${options.target}?tag=${this.tag}`;
    const client = await this.dial(on);
    client.key = headers.find(([name]) => name.toLowerCase() === "sec-websocket-key")?.[1] ?? client.key;
    const host = `localhost:${this.#host.wire(on).port}`;
    client.write(
      encodeRequest(
        {
          target: absolute ? `http://${host}${target}` : target,
          headers,
          ...(method === undefined ? {} : { method }),
          ...(version === undefined ? {} : { version }),
        },
        host,
      ),
    );
    await client.head();
    return client;
  }

  /** Sends a handshake that must be refused. */
  refused(options: ConnectOptions = {}): Promise<Refusal> {
    return this.#host.refused(options, this.target(options), this.#wait);
  }

  /** The bytes of a handshake, to be sent on a raw socket. */
  request(options: ConnectOptions = {}): Buffer {
    return encodeRequest(
      { target: this.target(options), ...(options.headers === undefined ? {} : { headers: options.headers }) },
      "localhost",
    );
  }

  /** Opens a raw socket without sending anything. */
  async dial(on: Listener = "main", tls: boolean = on === "tls"): Promise<Client> {
    const client = await dial({ ...this.#host.wire(on), tls }, this.#wait);
    this.#clients.push(client);
    return client;
  }

  /** The request target of a client, which contains the scripts for its handler. */
  target(options: ConnectOptions, peer: number = ++this.#count): string {
    const { path = "/", room, upgrade, open, wake, message, close, drain, drop, error } = options;
    const query = new URLSearchParams({ tag: this.tag, peer: String(peer) });
    if (room !== undefined) query.set("room", this.room(room));
    const scripts = { upgrade, open, wake, message, close, drain, drop, error };
    for (const [hook, script] of Object.entries(scripts)) {
      if (script !== undefined) query.set(hook, script === "run" ? script : JSON.stringify(script));
    }
    return `${path}?${query}`;
  }

  /** A room's actual name, which is unique to the case. */
  room(name?: string): string {
    return name === undefined ? this.tag : `${this.tag}-${name}`;
  }

  /** Sends an HTTP request to a listener on a raw socket. */
  async http(target: string, method = "GET", body = "", on: Listener = "main"): Promise<Client> {
    const client = await this.dial(on);
    client.write(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await client.head();
    return client;
  }

  /** Calls a room from outside all hooks. */
  outside(name?: string, on: HandlerName = "main"): RoomCalls {
    return this.#host.room(this.room(name), on);
  }

  /** Where rooms are in a file: kills the server once every client of this case has left, and starts it again. */
  async #killIfAlone(): Promise<void> {
    // What hooks of rooms do, and what they gave to `waitUntil`, ends with the process: chapter G.
    if (
      !runtimeOf(this.column).inFile ||
      /-G\d+$/.test(this.tag) ||
      this.#clients.length > 0 ||
      this.#peers.length === 0 ||
      this.#unopened > 0
    )
      return;
    const opened = this.#ids((entry) => entry.hook === "open");
    const closed = this.#ids((entry) => entry.done === "close");
    if (opened.size !== this.#peers.length || closed.size !== opened.size) return;
    // The turn of the last close hook has ended, and is stored, before a later request is answered: a hook whose turn a crash undid would run again.
    await this.outside().count();
    await this.#host.kill();
  }

  /** The server's rooms together: those of every case. */
  server(): ServerCalls {
    return this.#host.server();
  }

  /** The log lines of this case, of one client or all. */
  entries(peer?: Peer): Entry[] {
    return this.#host.log.entries.filter((entry) => entry.tag === this.tag && (peer === undefined || entry.peer === peer.number));
  }

  /** Waits for a line of the log. */
  until(what: string, match: (entry: Entry) => boolean): Promise<Entry> {
    return this.#host.log.until(what, () => this.entries().find(match), this.#wait);
  }

  /**
   * Runs a function, and waits for the next error of an `upgrade` hook in the `error` hook. The error does not identify its case, but the cases of
   * one runtime run one after another.
   */
  async toldOfUpgrade(call: () => Promise<unknown>): Promise<string> {
    const { entries } = this.#host.log;
    const before = entries.length;
    await call();
    const isIt = (entry: Entry): boolean => entry.tag === null && entry.hook === "error" && entry["of"] === "upgrade";
    const told = await this.#host.log.until("an error of upgrade", () => entries.slice(before).find(isIt), this.#wait);
    return String(told["error"]);
  }

  /** Waits until a hook of a room has ended for the nth time, and returns the line of its start. */
  async roomHook(hook: string, name?: string, nth = 1): Promise<Entry> {
    const of = (key: "hook" | "done"): Entry[] => this.roomEntries(name).filter((entry) => entry[key] === hook);
    await this.#host.log.until(`the end of ${hook} (${nth})`, () => of(hook === "error" ? "hook" : "done")[nth - 1], this.#wait);
    return of("hook")[nth - 1]!;
  }

  /** The log lines of a room's own hooks. */
  roomEntries(name?: string): Entry[] {
    return this.#host.log.entries.filter((entry) => entry.tag === null && entry["room"] === this.room(name));
  }

  /** What the step `show` printed of this client, by now. */
  printed(id: string): string {
    const [before, after] = marks(id);
    const { output } = this.#host;
    return output.slice(output.indexOf(before) + 1, output.lastIndexOf(after)).join("\n");
  }

  /** Waits until a hook of this client has started for the nth time. */
  hook(peer: Peer, hook: string, nth = 1): Promise<Entry> {
    return this.#nth(peer, `${hook} (${nth})`, nth, (entry) => entry.hook === hook);
  }

  /** Waits until a hook of this client has ended for the nth time. */
  done(peer: Peer, hook: string, nth = 1): Promise<Entry> {
    return this.#nth(peer, `the end of ${hook} (${nth})`, nth, (entry) => entry.done === hook);
  }

  /** Waits until a step of a script has run for the nth time. */
  did(peer: Peer, step: string, nth = 1): Promise<Entry> {
    return this.#nth(peer, `the step ${step} (${nth})`, nth, (entry) => entry.did === step);
  }

  /** Waits for the close hook, and returns its close event. */
  async closing(peer: Peer): Promise<{ code: unknown; reason: unknown; initiator: unknown }> {
    const { code, reason, initiator } = await this.hook(peer, "close");
    return { code, reason, initiator };
  }

  /** Evicts a room's Durable Object from memory. Does nothing on other runtimes. */
  async evict(on: HandlerName = "main", room?: string): Promise<void> {
    await this.#killIfAlone();
    await this.#host.evict(on, this.room(room));
  }

  /**
   * Forgets what is only in memory, as after an eviction or a crash: evicts the object, and kills the server that has its rooms in a file; then every client is
   * cut. Elsewhere it does nothing, because nothing would be left. Returns whether clients were cut.
   */
  async forget(on: HandlerName): Promise<boolean> {
    if (!runtimeOf(this.column).inFile) {
      await this.#host.evict(on, this.room());
      return false;
    }
    await this.#host.kill();
    // The hooks that ran have ended with it.
    for (const peer of this.#peers) {
      const entries = this.entries(peer);
      const begun = entries.filter((entry) => entry.hook !== undefined && entry.hook !== "upgrade");
      const ended = entries.filter((entry) => entry.done !== undefined && entry.done !== "upgrade");
      const last = begun.at(-1);
      if (last !== undefined && ended.length < begun.length && last.peer === peer.number)
        this.#host.log.entries.push({ tag: this.tag, peer: last.peer, handler: on, id: last.id!, done: last.hook!, killed: true });
    }
    return true;
  }

  /** The figures of a handler's server. */
  stats(on: HandlerName): Promise<Stats> {
    return this.#host.stats(on);
  }

  /** Makes a round trip with a new client, so that all earlier work gets its turn. */
  async barrier(on: Listener = "main"): Promise<void> {
    const peer = await this.connect({ on });
    await peer.send("barrier");
    deepEqual(await peer.next(), { type: "text", data: "barrier" });
    await this.done(peer, "message");
  }

  assertAlive(): void {
    this.#host.assertAlive();
  }

  /** Ends all clients, and checks for every connection that hooks ran one at a time, open first, and close once and last. */
  async finish(): Promise<void> {
    for (const peer of this.#peers) peer.leave();
    for (const client of this.#clients) client.leave();
    const accepted = this.#peers.length + this.#clients.filter((client) => client.accepted).length - this.#unopened;
    const opened = (): Set<string> => this.#ids((entry) => entry.hook === "open");
    await this.#host.log.until("open for every 101", () => (opened().size >= accepted ? true : undefined), this.#wait);
    for (const id of opened()) {
      await this.until(`the close hook of every connection (${id})`, (entry) => entry.id === id && entry.done === "close");
    }
    for (const id of this.#ids(() => true)) checkHooks(this.entries().filter((entry) => entry.id === id));
    this.assertAlive();
  }

  /** Releases everything after a failure. */
  abandon(): void {
    for (const peer of this.#peers) peer.leave();
    for (const client of this.#clients) client.destroy();
  }

  #ids(match: (entry: Entry) => boolean): Set<string> {
    return new Set(this.entries().flatMap((entry) => (entry.id !== undefined && match(entry) ? [entry.id] : [])));
  }

  #nth(peer: Peer, what: string, nth: number, match: (entry: Entry) => boolean): Promise<Entry> {
    return this.#host.log.until(`${what} of client ${peer.number}`, () => this.entries(peer).filter(match)[nth - 1], this.#wait);
  }

  /**
   * In the column `evicted`: waits until all messages of the client are handled, then evicts the object. Real evictions also wait until it is idle.
   */
  async #evictWhere(peer: Peer, { on = "main", room }: ConnectOptions): Promise<void> {
    if (this.column !== "evicted" || on === "tls" || on === "tightTls") return;
    // The eviction waits until all sent data has left.
    if (this.#peers.some((one) => one.place === peer.place && one.paused)) return;
    await this.#host.log.until("the end of every hook", () => (this.#idle(peer.place) ? true : undefined), this.#wait);
    await this.evict(on, room);
  }

  #idle(place: string): boolean {
    return this.#peers.every((peer) => {
      if (peer.place !== place) return true;
      const entries = this.entries(peer).filter((entry) => entry.id !== undefined);
      const over = entries.some((entry) => entry.hook === "close" || entry.did === "close" || entry.did === "terminate");
      if (!over && entries.filter((entry) => entry.done === "message").length < peer.sent) return false;
      return entries.filter((entry) => entry.hook !== undefined).length === entries.filter((entry) => entry.done !== undefined).length;
    });
  }
}

function checkHooks(entries: readonly Entry[]): void {
  const steps = entries.filter((entry) => entry.hook !== undefined || entry.done !== undefined);
  for (let index = 0; index < steps.length; index += 2) {
    const [begin, end] = [steps[index]!, steps[index + 1]];
    ok(begin.hook !== undefined && end?.done === begin.hook, `hooks overlap: ${JSON.stringify(steps.slice(index, index + 3))}`);
  }
  const hooks = steps.flatMap((entry) => (entry.hook === undefined || entry.hook === "error" ? [] : [entry.hook]));
  equal(hooks[0], "open", `the first hook is ${hooks[0]}`);
  equal(hooks.indexOf("close"), hooks.length - 1, `close is not the last hook, or not once: ${hooks.join(" ")}`);
}
