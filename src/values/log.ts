/** What every module does with errors and promises alike. */

/**
 * Every line that Edgewire logs; those that a client can cause come by `warn` and `logError`, which bound them. Never throws: an
 * application may have replaced the console, and what it threw may throw again when it is printed.
 */
export function log(level: "error" | "warn", what: string, ...details: unknown[]): void {
  try {
    console[level](`edgewire: ${what}`, ...details);
  } catch {
    try {
      console[level](`edgewire: ${what} (a value that can't be printed)`);
    } catch {
      // There is no log.
    }
  }
}

/**
 * Lines of the log that a client can cause: at most ten a second of each kind, and what a client wrote is cut short in them. Lines that are left
 * out are counted; the count is logged with the next line of the kind, or when a server closes: there is no timer. Nothing here throws.
 */

/** Lines of a kind that may be logged within `span` milliseconds. */
const most = 10;
const span = 1000;

/** Beyond which all are forgotten: a few are an application's (`alarm of room …`). */
const mostKinds = 200;

interface Kind {
  /** When its span began. */
  since: number;
  logged: number;
  omitted: number;
}

/** For the whole process: a plain Worker has a server for each connection. */
const kinds = new Map<string, Kind>();

/** @param kind the lines that are counted together: a word of ours, never a client's. */
export function warn(kind: string, text: string): void {
  if (mayLog(kind)) log("warn", text);
}

/** The same for what failed: its kind, then the errors, which are logged as they are, with stack and cause, unless they are excessively long. */
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
  if (kind.omitted > 0) log("warn", `… and ${kind.omitted} more in the same second: ${name}`);
  kind.omitted = 0;
}

/** Logs the counts that no line has followed yet, and starts anew: a server closes. */
export function flushWarnings(): void {
  for (const [name, kind] of kinds) logOmitted(name, kind);
  kinds.clear();
}

/** What a client wrote, in quotes, on one line, and at most 200 characters of it. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text));
}

export function cut(text: string, length: number = 200): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}… (${text.length} characters)`;
}

/** What an application threw may have a client's message in it. */
function bounded(detail: unknown): unknown {
  if (typeof detail === "string") return cut(detail, longest);
  try {
    if (!(detail instanceof Error)) return detail;
    const { stack = String(detail) } = detail;
    return stack.length + detail.message.length > 2 * longest ? cut(stack, longest) : detail;
  } catch {
    // Its own properties throw: `log` says that it can't be printed, if it can't.
    return detail;
  }
}

/** Characters. */
const longest = 4000;
