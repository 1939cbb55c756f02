/** The mailbox of this server, which several parts of it share: each has a kind of its own. */
import { decode, encode } from "../../values/codec.ts";
import type { Backplane } from "../backplane.ts";
import type { Mailbox } from "../mail.ts";
import type { Asking } from "./asking.ts";

/** What a server's mail is for. */
export type MailKind = "answer" | "call" | "broadcast";

export class Post {
  readonly #mailbox: Mailbox;
  readonly #asking: Asking;
  readonly #readers = new Map<MailKind, (body: unknown) => void>();

  /** @param server its name. */
  constructor(backplane: Backplane, asking: Asking, server: string) {
    this.#asking = asking;
    this.#mailbox = backplane.mailbox(server, (text) => this.#heard(text));
  }

  on(kind: MailKind, read: (body: unknown) => void): void {
    this.#readers.set(kind, read);
  }

  /** @throws BackplaneError if the backplane does not answer in time. */
  async open(): Promise<void> {
    await this.#asking.ask(async () => ({ opened: await this.#mailbox.open() }));
  }

  /** At most once: who waits for it has a deadline. @param to undefined: all servers. */
  send(to: string | undefined, kind: MailKind, body: unknown): void {
    this.#asking.ask(async () => ({ sent: await this.#mailbox.send(to, encode([kind, body])) })).catch(() => {});
  }

  stop(): void {
    this.#mailbox.close().catch(() => {});
  }

  #heard(text: string): void {
    const [kind, body] = decode(text) as [MailKind, unknown];
    this.#readers.get(kind)?.(body);
  }
}
