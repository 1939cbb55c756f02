/** Logging: every module's lines go through here. */

/**
 * Writes every line that Edgewire logs; `warn` and `logError` limit those that a client can cause. Never throws: an
 * application may have replaced the console, and a value that it threw may throw again when printed.
 */
export function log(level: "error" | "warn", what: string, ...details: unknown[]): void {
  try {
    console[level](`edgewire: ${what}`, ...details);
  } catch {
    try {
      console[level](`edgewire: ${what} (a value that can't be printed)`);
    } catch {
      // Logging itself does not work.
    }
  }
}

/**
 * Log lines that a client can cause: at most ten a second of each kind, with the client's text shortened. Omitted lines are counted; the count
 * is logged with the next line of the kind, or when a server closes, since there is no timer. Nothing here throws.
 */

/** Lines of a kind that may be logged within `span` milliseconds. */
const most = 10;
const span = 1000;

/** Above this all kinds are forgotten: some contain an application's names (`alarm of room …`). */
const mostKinds = 200;

interface Kind {
  /** When the current span began. */
  since: number;
  logged: number;
  omitted: number;
}

/** One for the whole process: a plain Worker has a server for each connection. */
const kinds = new Map<string, Kind>();

/** @param kind lines of the same kind are counted together; never a client's text. */
export function warn(kind: string, text: string): void {
  if (mayLog(kind)) log("warn", text);
}

/** The same for errors: the kind, then the errors with stack and cause, cut only if they are excessively long. */
export function logError(kind: string, ...details: readonly unknown[]): void {
  if (mayLog(kind)) log("error", `${kind}:`, ...details.map(bounded));
}

function mayLog(name: string): boolean {
  const now = performance.now();
  let kind = kinds.get(name);
  if (kind === undefined) {
    if (kinds.size >= mostKinds) flushWarnings();
    kinds.set(name, (kind = { since: now, logged: 0, omitted: 0 }));
  }
  if (now - kind.since >= span) {
    logOmitted(name, kind);
    kind.since = now;
    kind.logged = 0;
  }
  if (kind.logged < most) {
    kind.logged++;
    return true;
  }
  kind.omitted++;
  return false;
}

function logOmitted(name: string, kind: Kind): void {
  if (kind.omitted > 0) log("warn", `… and ${kind.omitted} more in the same second: ${name} [EW201]`);
  kind.omitted = 0;
}

/** Logs the counts that are still pending, and starts again. Called when a server closes. */
export function flushWarnings(): void {
  for (const [name, kind] of kinds) logOmitted(name, kind);
  kinds.clear();
}

/** A client's text in quotes, on one line, cut to 200 characters. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text));
}

export function cut(text: string, length: number = 200): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}… (${text.length} characters)`;
}

/** An application's error may contain a client's message. */
function bounded(detail: unknown): unknown {
  if (typeof detail === "string") return cut(detail, longest);
  try {
    if (!(detail instanceof Error)) return detail;
    const { stack = String(detail) } = detail;
    return stack.length + detail.message.length > 2 * longest ? cut(stack, longest) : detail;
  } catch {
    // Its own properties throw; `log` reports it if it can't be printed.
    return detail;
  }
}

/** Characters. */
const longest = 4000;
