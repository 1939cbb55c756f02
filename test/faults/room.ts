/** One object's lives and its clients, under a fake workerd and a fake time. What must never happen at all is noted as it happens. */
import { defineHandler } from "edgewire";
import { pingText, pongText } from "../../src/protocol/text-ping.ts";
import { ObjectHost } from "../../adapters/durable/host.ts";
import { idsOf } from "./check.ts";
import { Faults } from "./faults.ts";
import { faultyHandler, type AlarmPlan, type Line, type Opening, type State, type Step } from "./handler.ts";
import type { FakeTime } from "./time.ts";
import { FakeObject, type FakeSocket } from "./workerd.ts";

export interface Client {
  readonly number: number;
  readonly ws: FakeSocket;
  /** It has closed, or its network is lost, or its object was killed. */
  gone: boolean;
  /** Answers a close of the server's. */
  answers: boolean;
}

const headers = {
  host: "localhost",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

export class Room {
  readonly log: Line[] = [];
  readonly wrong: string[] = [];
  readonly faults = new Faults();
  readonly clients: Client[] = [];
  /** Connections that ended with their object, of whose end no hook is told. */
  readonly killed = new Set<string>();
  kills = 0;
  /** What a life was about to try again was lost with it: it comes once something wakes the object. */
  forced = false;
  alarmPlan: AlarmPlan = { fail: 0, sleep: 0, next: undefined };
  readonly object: FakeObject;
  readonly #time: FakeTime;
  readonly #handler;
  #host: ObjectHost | undefined;
  /** Events and what they keep alive, of this life. */
  #running = new Set<Promise<unknown>>();
  #ringing = false;
  #nr = 0;

  constructor(time: FakeTime) {
    this.#time = time;
    this.object = new FakeObject(this.faults, (promise) => this.#track("waitUntil", promise));
    this.#handler = defineHandler<State>(
      faultyHandler(
        "ROOM",
        (line) => void this.log.push(line),
        () => this.alarmPlan,
      ),
    );
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Undefined for one that is refused. */
  async connect({ client: number, letters, expires }: Opening): Promise<Client | undefined> {
    const query = new URLSearchParams({ letters: String(letters), ...(expires === undefined ? {} : { expires: String(expires) }) });
    const before = this.object.sockets.length;
    const request = new Request(`http://localhost/r?${query}`, { headers });
    const response = await this.#event("fetch", (host) => host.fetch(request));
    const ws = this.object.sockets[before];
    if (response?.status !== 101 || ws === undefined) {
      if (ws !== undefined && ws.closed === undefined)
        this.wrong.push(`a handshake was refused with ${response?.status}, and its socket is open`);
      this.object.sockets = this.object.sockets.filter((one) => one !== ws);
      return undefined;
    }
    const client = { number, ws, gone: false, answers: true };
    this.clients.push(client);
    return client;
  }

  /** Its number, by which the answer is known. */
  tell({ ws }: Client, steps: readonly Step[]): number {
    const nr = ++this.#nr;
    if (ws.closed === undefined) void this.#event("message", (host) => host.message(ws, JSON.stringify({ nr, steps })));
    return nr;
  }

  /** The text ping, which shows that the client lives. */
  ping({ ws }: Client): void {
    if (ws.closed === undefined) void this.#event("ping", (host) => host.message(ws, pingText));
  }

  /** What the steps of that message came to; undefined while there is no answer. */
  answer({ ws }: Client, nr: number): readonly unknown[] | undefined {
    for (const text of ws.sent) {
      if (text === pongText) continue;
      const answer = JSON.parse(text) as { nr: number; results: unknown[] };
      if (answer.nr === nr) return answer.results;
    }
    return undefined;
  }

  /** The client closes, or answers the server's close. */
  leave(client: Client, code: number): void {
    this.#end(client, client.ws.closed === undefined ? 2 : 3, client.ws.closed?.code ?? code, true);
  }

  lose(client: Client): void {
    this.#end(client, 3, 1006, false);
  }

  #end(client: Client, readyState: number, code: number, wasClean: boolean): void {
    if (client.gone) return;
    client.gone = true;
    void this.#event("close", (host) => {
      // An object that wakes for it still sees the socket as it was.
      client.ws.readyState = readyState;
      return host.closed(client.ws, code, "", wasClean);
    });
    this.object.sockets = this.object.sockets.filter((one) => one !== client.ws);
  }

  /** As workerd does it to an object that has nothing to do; `forced`, as its test tools do to one that waits for a timer. */
  async evict(forced = false): Promise<void> {
    await this.#time.settle();
    if (!this.isIdle || this.#host === undefined) return;
    if (this.#time.pending > 0 && !forced) return;
    this.forced ||= this.#time.pending > 0;
    this.#forget();
  }

  /** Memory is lost wherever it is, and every connection with it. */
  async kill(): Promise<void> {
    // Between two turns: what is left of this one would go on in a life that is over.
    await this.#time.settle();
    this.kills++;
    // Whatever it was about to try again, nobody does.
    this.forced ||= this.faults.met.size > 0;
    this.#forget();
    for (const client of this.clients) client.gone = true;
    const closed = idsOf(this.log, "close");
    for (const id of idsOf(this.log, "open")) if (!closed.includes(id)) this.killed.add(id);
    this.object.sockets = [];
    if (this.#ringing && this.object.alarm === null) this.object.alarm = this.#time.now + 2000;
    this.#ringing = false;
  }

  #forget(): void {
    this.#time.clear();
    this.faults.met.clear();
    this.#host = undefined;
    this.#running = new Set();
  }

  call(method: "count"): Promise<unknown> {
    return this.#event("call", (host) => host.call("r", method, [], undefined));
  }

  /** Time passes, and what is due comes. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#time.now + milliseconds;
    let [at, rings] = [0, 0];
    await this.#time.settle();
    for (;;) {
      const alarm = this.#ringing || this.object.alarm === null ? Number.POSITIVE_INFINITY : this.object.alarm;
      const next = Math.min(alarm, this.#time.next);
      if (next > end) break;
      await this.#time.goTo(next);
      if (next === alarm) await this.#ring();
      this.#answerCloses();
      rings = at === this.#time.now ? rings + 1 : 0;
      at = this.#time.now;
      if (rings > 200) throw new Error("it is busy for ever");
    }
    await this.#time.goTo(end);
    this.#answerCloses();
    await this.#time.settle();
  }

  #answerCloses(): void {
    for (const client of this.clients) if (!client.gone && client.answers && client.ws.closed !== undefined) this.leave(client, 1000);
  }

  async #ring(): Promise<void> {
    // Before the object is made: its constructor still sees the alarm that it is made for.
    const host = this.#wake();
    if (host === undefined) return;
    this.object.alarm = null;
    this.#ringing = true;
    const life = this.#running;
    void this.#event("alarm", (awake) => awake.alarm()).then(() => {
      if (this.#running === life) this.#ringing = false;
    });
    await this.#time.settle();
  }

  #wake(): ObjectHost | undefined {
    try {
      return (this.#host ??= new ObjectHost(this.#handler as never, this.object.context, {}));
    } catch (error) {
      this.wrong.push(`the object can't be made: ${String(error)}`);
      return undefined;
    }
  }

  async #event<T>(what: string, run: (host: ObjectHost) => T | PromiseLike<T>): Promise<T | undefined> {
    const host = this.#wake();
    if (host === undefined) return undefined;
    try {
      const running = Promise.resolve(run(host));
      this.#track(what, running);
      return await running;
    } catch (error) {
      this.wrong.push(`the event ${what} failed: ${String(error)}`);
      return undefined;
    }
  }

  #track(what: string, promise: Promise<unknown>): void {
    const life = this.#running;
    life.add(promise);
    promise.then(
      () => life.delete(promise),
      (error: unknown) => {
        life.delete(promise);
        this.wrong.push(`what ${what} was given rejects: ${String(error)}`);
      },
    );
  }
}
