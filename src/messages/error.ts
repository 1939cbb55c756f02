/** What went wrong with a message or a request, with a code for programs and a text for people. docs/PROTOCOL.md lists the codes. */
import type { StandardIssue } from "./standard.ts";

/** Where in a payload the schema was not met, and why. */
export interface Issue {
  /** Keys and indices from the payload on; empty: the payload itself. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * An error that carries a code. A hook throws one to tell the client; `client.request` rejects with one.
 * Codes of Edgewire's own: `bad-frame`, `unknown-name`, `invalid-payload`, `too-many-requests`, `internal`; and on the client alone
 * `closed`, `deadline`, `not-sent`. Any other is the application's.
 */
export class MessageError extends Error {
  readonly code: string;
  /** Of the message or request it is about, where that is known. */
  readonly about: string | undefined;
  /** The first few, for `invalid-payload`. */
  readonly issues: readonly Issue[];

  constructor(
    code: string,
    message: string,
    details: { readonly about?: string | undefined; readonly issues?: readonly Issue[] | undefined } = {},
  ) {
    super(message);
    this.name = "MessageError";
    this.code = code;
    this.about = details.about;
    this.issues = details.issues ?? [];
  }
}

/** An error frame names the first issues alone, and the beginning of a long text: a payload that is all wrong needs no long answer. */
export const mostIssues = 8;
export const longestPath = 64;
export const longestText = 1000;

export function invalidPayload(about: string, found: readonly StandardIssue[]): MessageError {
  const issues = boundIssues(found);
  const [{ path, message } = { path: [], message: "not as its schema says" }] = issues;
  return new MessageError("invalid-payload", `${[about, ...path].join(".")}: ${message}`, { about, issues });
}

/** As they may travel. */
export function boundIssues(issues: readonly StandardIssue[]): Issue[] {
  return issues.slice(0, mostIssues).map(({ path = [], message }) => ({
    path: path.slice(0, longestPath).map((part) => plainKey(typeof part === "object" ? part.key : part)),
    message: message.slice(0, longestText),
  }));
}

function plainKey(key: PropertyKey): string | number {
  return Number.isSafeInteger(key) ? (key as number) : String(key).slice(0, longestText);
}
