/** What went wrong with a message or a request, with a code for programs and a text for people. docs/PROTOCOL.md lists the codes. */
import type { StandardIssue } from "./standard.ts";

/** Where in a payload the schema does not match, and why. */
export interface Issue {
  /** Keys and indices, starting at the payload; empty for the payload itself. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * An error with a code. A hook throws one to inform the client; `client.request` rejects with one.
 * Edgewire's own codes: `bad-frame`, `unknown-name`, `invalid-payload`, `too-many-requests`, `internal`, `interrupted`; and only where something
 * was asked `closed`, `deadline`, `not-sent`. Any other is the application's.
 */
export class MessageError extends Error {
  readonly code: string;
  /** The name of the message or request, if known. */
  readonly about: string | undefined;
  /** The first few issues, for `invalid-payload`. */
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

/** An error frame contains only the first issues, and the beginning of a long text: a payload that is all wrong needs no long answer. */
export const mostIssues = 8;
export const longestPath = 64;
export const longestText = 1000;

export function invalidPayload(about: string, found: readonly StandardIssue[]): MessageError {
  const issues = boundIssues(found);
  const [{ path, message } = { path: [], message: "does not match its schema" }] = issues;
  return new MessageError("invalid-payload", `${[about, ...path].join(".")}: ${message} [EW503]`, { about, issues });
}

/** The issues in the form that may be sent. */
export function boundIssues(issues: readonly StandardIssue[]): Issue[] {
  return issues.slice(0, mostIssues).map(({ path = [], message }) => ({
    path: path.slice(0, longestPath).map((part) => plainKey(typeof part === "object" ? part.key : part)),
    message: message.slice(0, longestText),
  }));
}

function plainKey(key: PropertyKey): string | number {
  return Number.isSafeInteger(key) ? (key as number) : String(key).slice(0, longestText);
}
