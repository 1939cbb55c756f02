/** Messages as the application gives them, and what it is told of each. */
import type { Data } from "../../api/connection.ts";
import { fire, type ClientEventSource } from "../../client/events.ts";
import { convert, sizeOf } from "../../client/outbox.ts";
import type { ClientSendable } from "../../client/types.ts";
import type { DeliveryCore } from "./core.ts";
import type { Fate, Outgoing } from "./outgoing.ts";
import type { DeliveryEvents } from "./types.ts";

type Source = ClientEventSource<DeliveryEvents> & { readonly readyState: number };

export class Sending {
  readonly #socket: Source;
  readonly #core: DeliveryCore;
  readonly #isOpen: () => boolean;

  /** @param isOpen whether the connection takes anything: what it does not take was not sent. */
  constructor(socket: Source, core: DeliveryCore, isOpen: () => boolean) {
    this.#socket = socket;
    this.#core = core;
    this.#isOpen = isOpen;
  }

  /** Copies the data: the caller may use its buffer again. Returns false if it is refused. */
  add(given: ClientSendable, settle: (fate: Fate) => void): boolean {
    const data = convert(given, true);
    const blob = data instanceof Blob ? data : undefined;
    const message: Outgoing = { given, data: blob ? undefined : (data as Data), size: sizeOf(data), settle };
    const isAdded = this.#socket.readyState < 2 && this.#core.outgoing.add(message);
    if (!isAdded) this.#refused(message);
    else if (blob) void this.#read(message, blob);
    else this.#pump();
    return isAdded;
  }

  uncertain({ given, settle }: Outgoing): void {
    settle("uncertain");
    fire<DeliveryEvents>(this.#socket, "uncertain", { data: given });
  }

  /** The socket is closed for good. */
  end(): void {
    const { uncertain, refused } = this.#core.outgoing.end();
    for (const message of uncertain) this.uncertain(message);
    for (const message of refused) this.#refused(message);
  }

  async #read(message: Outgoing, blob: Blob): Promise<void> {
    try {
      message.data = new Uint8Array(await blob.arrayBuffer());
    } catch (cause) {
      // It keeps its place.
      message.data = null;
      this.#refused(message, cause);
    }
    this.#pump();
  }

  #refused({ given, settle }: Outgoing, cause?: unknown): void {
    settle("refused");
    fire(this.#socket, "drop", { data: given, cause });
  }

  #pump(): void {
    if (this.#isOpen()) this.#core.pump();
  }
}
