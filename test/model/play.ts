/**
 * Plays a sequence on a runtime, one action at a time. In memory an action is over when nothing moves any more; on a wire, when
 * as much has happened as did in memory: never after a time, so that a slow machine changes nothing.
 */
import type { Event } from "../support/client.ts";
import { Context } from "../support/context.ts";
import type { Host } from "../support/host.ts";
import type { Peer } from "../support/peer.ts";
import { dataOf, pick, rooms, speech, type Action, type Kind, type Message, type RoomName, type Sequence } from "./sequence.ts";
import { bySpeaker, difference, eventLine, hookLine, type Left, type Step, type Trace, type View } from "./trace.ts";

export interface PlayOptions {
  /** For messages to people. */
  readonly name: string;
  /** Unique: rooms and log lines carry it. */
  readonly tag: string;
  /** What memory did, as far as this runtime can show it; without it this is memory. */
  readonly model?: Trace;
  /** Evict every room after every action. */
  readonly evictAlways?: boolean;
  /** Milliseconds to wait for what does not come. */
  readonly wait: number;
}

/** @throws Error with the first difference from the model, or whatever failed. */
export async function play(host: Host, sequence: Sequence, options: PlayOptions): Promise<Trace> {
  const player = new Player(host, sequence, options);
  try {
    return await player.run();
  } catch (error) {
    player.abandon();
    host.assertAlive();
    throw error;
  } finally {
    // Long runs would look through all of it at each wait.
    host.log.entries.length = 0;
  }
}

interface Client {
  readonly peer: Peer;
  readonly kind: Kind;
  readonly room: RoomName;
  readonly events: string[];
  left?: Left;
  /** How much of it earlier steps have had. */
  eventsSeen: number;
  hooksSeen: number;
}

class Player {
  readonly #t: Context;
  readonly #sequence: Sequence;
  readonly #options: PlayOptions;
  readonly #clients: Client[] = [];
  readonly #trace: Step[] = [];

  constructor(host: Host, sequence: Sequence, options: PlayOptions) {
    // Never the column "evicted": its context evicts by itself.
    this.#t = new Context(host, options.model === undefined ? "memory" : "durable", options.tag, options.wait);
    this.#sequence = sequence;
    this.#options = options;
  }

  async run(): Promise<Trace> {
    for (const action of this.#sequence.actions) await this.#step(action);
    while (this.#there().length > 0) await this.#step({ do: "leave", who: 0, last: [], code: 1000 });
    await this.#t.finish();
    return this.#trace;
  }

  abandon(): void {
    this.#t.abandon();
  }

  async #step(action: Action): Promise<void> {
    const { model, name, evictAlways } = this.#options;
    let failure: Error | undefined;
    let result: number | undefined;
    try {
      result = await this.#act(action);
      if (model === undefined) await this.#calm();
      else await this.#reach(model[this.#trace.length]);
    } catch (error) {
      failure = error as Error;
    }
    this.#trace.push({ action, result, views: this.#clients.map((client) => this.#view(client, action)) });
    if (model !== undefined) {
      const found = difference(model.slice(0, this.#trace.length), this.#trace, ["memory", name]);
      if (found !== undefined) throw new Error(failure === undefined ? found : `${found}\n${failure.message}`, { cause: failure });
    }
    if (failure !== undefined) throw failure;
    if (evictAlways === true) for (const room of rooms) if (this.#clients.some((client) => client.room === room)) await this.#evict(room);
  }

  async #act(action: Action): Promise<number | undefined> {
    switch (action.do) {
      case "connect":
        await this.#connect(action);
        return undefined;
      case "tell": {
        const client = pick(action.who, this.#there("run"));
        await this.#send(client, action.messages);
        if (client !== undefined && action.evict === true) await this.#evict(client.room);
        return undefined;
      }
      case "send":
        return this.#send(pick(action.who, this.#there(action.to)), action.values);
      case "burst": {
        const speakers = new Map(action.speakers.map((speaker) => [pick(speaker.who, this.#there("run")), speaker]));
        const talking = [...speakers].map(([client, speaker]) =>
          this.#send(client, speech(String(client?.peer.number), action.topic, speaker)),
        );
        for (let nth = 0; nth < action.outside; nth++) await this.#t.outside("a").publish(action.topic, `out/${nth}`);
        await Promise.all(talking);
        return undefined;
      }
      case "leave": {
        const client = pick(action.who, this.#there());
        if (client === undefined) return undefined;
        client.left = { code: action.code };
        if (client.kind === "run") await this.#send(client, action.last);
        await client.peer.close(action.code, action.reason);
        return undefined;
      }
      case "lose": {
        const client = pick(action.who, this.#there());
        if (client === undefined) return undefined;
        if (client.kind === "run" && action.during !== null) {
          const before = this.#t.entries(client.peer).filter(({ hook }) => hook === "message").length;
          await this.#send(client, [action.during]);
          await this.#t.hook(client.peer, "message", before + 1);
        }
        await client.peer.lose();
        return undefined;
      }
      case "publish":
        return this.#t.outside(action.room).publish(action.topic, action.text, await this.#except(action.except));
      case "broadcast":
        return this.#t.outside(action.room).broadcast(action.text, await this.#except(action.except));
      case "count":
        return this.#t.outside(action.room).count();
      case "evict":
        await this.#evict(action.room);
        return undefined;
    }
  }

  async #connect({ kind, room, late, state, open, close, first }: Action & { do: "connect" }): Promise<void> {
    const accept = ["accept", { room: this.#t.room(room), ...(state === null ? {} : { state }) }] as const;
    const peer = await this.#t.connect({
      on: this.#sequence.on,
      room,
      upgrade: late ? [["sleep", 2], accept] : [accept],
      open,
      close,
      ...(kind === "run" ? { message: "run" as const } : kind === "slow" ? { message: [["sleep", 2], ["echo"]] as const } : {}),
    });
    const client: Client = { peer, kind, room, events: [], eventsSeen: 0, hooksSeen: 0 };
    this.#clients.push(client);
    if (this.#options.model === undefined) void this.#pump(client);
    await this.#send(client, first);
  }

  async #send(client: Client | undefined, messages: readonly Message[]): Promise<undefined> {
    if (client === undefined || messages.length === 0) return undefined;
    const data = messages.map(dataOf);
    // In memory a client that has been closed can't send at all.
    if (this.#options.model === undefined) await Promise.allSettled(data.map((one) => client.peer.send(one)));
    // On a wire it must not: a close frame is the last that it sends.
    else if (!client.peer.wire.pending.some(({ type }) => type === "close")) await client.peer.sendAll(data);
  }

  /** Reads all that comes. */
  async #pump(client: Client): Promise<void> {
    for (;;) {
      const event = await client.peer.next();
      this.#add(client, event);
      if (event.type === "end") return;
    }
  }

  #add(client: Client, event: Event): void {
    if (event.type !== "ping" && event.type !== "pong") client.events.push(eventLine(event, client.left));
  }

  /** Memory: every hook that began has ended, twice in a row, with all microtasks between. */
  async #calm(): Promise<void> {
    for (let calm = 0; calm < 2;) {
      await new Promise((resolve) => setImmediate(resolve));
      const entries = this.#t.entries();
      const busy =
        entries.filter(({ hook }) => hook !== undefined && hook !== "error").length -
        entries.filter(({ done }) => done !== undefined && done !== "error").length;
      calm = busy === 0 ? calm + 1 : 0;
    }
  }

  /** A wire: as many events and as many lines of the log as the model's. */
  async #reach(expected: Step | undefined): Promise<void> {
    if (expected === undefined) throw new Error("memory was done by now");
    for (const [index, view] of expected.views.entries()) {
      const client = this.#clients[index];
      if (client === undefined) throw new Error(`there is no client ${index + 1}`);
      const events = client.eventsSeen + view.received.length;
      while (client.events.length < events) this.#add(client, await client.peer.next());
      const lines = client.hooksSeen + view.hooks.length;
      await this.#t.until(`line ${lines} of client ${index + 1}`, () => this.#t.entries(client.peer).length >= lines);
    }
  }

  #view(client: Client, action: Action): View {
    const entries = this.#t.entries(client.peer);
    const received = client.events.slice(client.eventsSeen);
    const scope = { tag: this.#options.tag, numberOf: (id: string) => this.#t.entries().find((entry) => entry.id === id)?.peer };
    const hooks = entries.slice(client.hooksSeen).map((entry) => hookLine(entry, scope));
    client.eventsSeen += received.length;
    client.hooksSeen = entries.length;
    return { received: action.do === "burst" ? bySpeaker(received) : received, hooks };
  }

  async #evict(room: RoomName): Promise<void> {
    await this.#t.evict(this.#sequence.on, room);
  }

  async #except(who: number | undefined): Promise<string | undefined> {
    const client = who === undefined ? undefined : pick(who, this.#there());
    return client === undefined ? undefined : (await this.#t.hook(client.peer, "open")).id;
  }

  /** The clients whose connections are open: no close has been seen, and no close hook has begun. */
  #there(kind?: Kind): Client[] {
    const over = new Set(this.#t.entries().flatMap((entry) => (entry.hook === "close" ? [entry.peer] : [])));
    return this.#clients.filter((client) => !over.has(client.peer.number) && (kind === undefined || client.kind === kind));
  }
}
