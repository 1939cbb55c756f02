/** What servers tell each other, at most once: answers to questions, results of calls, broadcasts to every room. Whoever waits has a deadline. */

/** What one server hears, whichever rooms it is in. */
export interface Mailbox {
  /** Resolves when it hears what is sent to it. May be called again at any time: after a cut. */
  open(): Promise<void>;
  /** @param to another server; undefined: everyone's, this one's too. Resolves once it is sent. */
  send(to: string | undefined, text: string): Promise<void>;
  close(): Promise<void>;
}

/** A question to all nodes of a room: what only they know, such as their connections. */
export interface Question {
  /** Random. */
  readonly id: string;
  /** The server to which nodes send their answers. */
  readonly from: string;
  readonly body: string;
}
