/** A runtime's WebSocket that does what a test tells it, and random numbers that are the same in each run. */
export class FakeWebSocket extends EventTarget {
  static made: FakeWebSocket[] = [];
  static get last(): FakeWebSocket {
    return FakeWebSocket.made.at(-1)!;
  }
  readonly url: string;
  readonly protocols: readonly string[];
  readyState = 0;
  protocol = "";
  extensions = "";
  bufferedAmount = 0;
  binaryType = "";
  sent: unknown[] = [];
  closedWith: unknown[] | undefined;
  #listeners: [string, (event: Event) => void][] = [];

  constructor(url: string, protocols: string[]) {
    super();
    this.url = new URL(url).href;
    this.protocols = protocols;
    FakeWebSocket.made.push(this);
  }

  override addEventListener(type: string, listener: (event: Event) => void): void {
    this.#listeners.push([type, listener]);
    super.addEventListener(type, listener);
  }
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(...how: unknown[]): void {
    if (this.readyState > 1) return;
    this.readyState = 2;
    this.closedWith = how;
  }

  /** An event without a class, as React Native's. */
  emit(type: string, fields: object): void {
    for (const listener of this.#listeners) if (listener[0] === type) listener[1]({ type, ...fields } as Event);
  }

  /** What the network does. */
  opens(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  hears(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  ends(code = 1006, reason = "", wasClean = false): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason, wasClean }));
  }
  fails(error?: Error): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("error"), { error }));
  }
}
