/** What a sequence did, as lines that are the same on every runtime: what each client saw, and what its hooks were told. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Event } from "../support/client.ts";
import type { Entry } from "../support/log.ts";
import type { Action } from "./sequence.ts";

export interface View {
  readonly received: readonly string[];
  readonly hooks: readonly string[];
}

/** One action: the result of a call from outside, and what every client so far has to do with it. */
export interface Step {
  readonly action: Action;
  readonly result: number | undefined;
  readonly views: readonly View[];
}

export type Trace = readonly Step[];

/** How a client ends itself: its answer from the server may repeat the code alone, or 1000 where there was none (C6, C7). */
export interface Left {
  readonly code: number | undefined;
}

export function eventLine(event: Event, left?: Left): string {
  switch (event.type) {
    case "text":
    case "binary":
      return messageLine(event.type === "text" ? event.data : Uint8Array.from(event.data));
    case "close":
      return left === undefined ? closeLine(event.code, event.reason) : leftLine(left.code ?? (event.code === 1000 ? 1005 : event.code));
    case "end":
      return "end";
    default:
      return event.type;
  }
}

export function messageLine(data: string | Uint8Array): string {
  return typeof data === "string" ? `text ${brief(JSON.stringify(data))}` : `binary ${brief(Buffer.from(data).toString("hex"))}`;
}

export const closeLine = (code: number, reason: string): string => `close ${code} ${JSON.stringify(reason)}`;
export const leftLine = (code: number): string => `answer ${code}`;

/** A line of the log without what differs by nature: ids, addresses, the URL; `phase` where it depends on the network's speed. */
export function hookLine(entry: Entry, scope: { readonly tag: string; numberOf(id: string): number | undefined }): string {
  const room = (name: unknown): string => String(name).replace(`${scope.tag}-`, "");
  if (entry.hook !== undefined) {
    const { hook, data, code, reason, initiator, of, error } = entry as Record<string, unknown>;
    if (hook === "close") return closeHookLine({ code, reason, initiator });
    return line(`hook ${String(hook)}`, {
      data,
      of,
      error,
      ...(entry.hook === "open" ? { room: room(entry["room"]), phase: entry["phase"] } : {}),
    });
  }
  if (entry.done !== undefined) return `done ${entry.done}`;
  if (entry.did === "inspect") {
    const { phase, state, topics } = entry as Record<string, unknown>;
    return inspectLine({ room: room(entry["room"]), phase, state, topics });
  }
  if (entry.did === "peers") {
    const numbers = (entry["result"] as string[]).map((id) => scope.numberOf(id) ?? 0);
    return didLine(
      "peers",
      numbers.sort((one, other) => one - other),
    );
  }
  return "threw" in entry ? threwLine(entry.did ?? "", String(entry["threw"])) : didLine(entry.did ?? "", entry["result"]);
}

export const closeHookLine = (closing: { code: unknown; reason: unknown; initiator: unknown }): string => line("hook close", closing);
export const inspectLine = (seen: { room: unknown; phase: unknown; state: unknown; topics: unknown }): string => line("did inspect", seen);
export const didLine = (step: string, result: unknown): string => line(`did ${step}`, result);
export const threwLine = (step: string, name: string): string => `did ${step} threw ${name}`;

/** In a burst messages of several speakers mix as they like; those of one speaker don't. */
export function bySpeaker(lines: readonly string[]): string[] {
  const speaker = (text: string): string => text.slice(0, text.indexOf("/"));
  return lines.toSorted((one, other) => (speaker(one) < speaker(other) ? -1 : speaker(one) > speaker(other) ? 1 : 0));
}

/** The first difference of two traces, or undefined. */
export function difference(expected: Trace, actual: Trace, names: readonly [string, string]): string | undefined {
  for (const [index, step] of expected.entries()) {
    const other = actual[index];
    if (isDeepStrictEqual(step, other)) continue;
    const lines = [`action ${index} ${JSON.stringify(step.action)}`];
    if (other === undefined) lines.push(`did not happen on ${names[1]}`);
    else if (step.result !== other.result) lines.push(`result on ${names[0]}: ${step.result}, on ${names[1]}: ${other.result}`);
    for (const [client, view] of step.views.entries()) {
      const seen = other?.views[client];
      for (const what of ["received", "hooks"] as const) {
        if (isDeepStrictEqual(view[what], seen?.[what])) continue;
        lines.push(
          `client ${client + 1} ${what}`,
          `  ${names[0]}: ${view[what].join(" | ")}`,
          `  ${names[1]}: ${seen?.[what].join(" | ") ?? "-"}`,
        );
      }
    }
    return lines.join("\n");
  }
  return undefined;
}

function line(what: string, fields: unknown): string {
  const json = JSON.stringify(fields);
  return json === undefined || json === "{}" ? what : `${what} ${brief(json)}`;
}

function brief(text: string): string {
  if (text.length <= 160) return text;
  return `${text.slice(0, 24)}… (${text.length}, sha1 ${createHash("sha1").update(text).digest("hex").slice(0, 12)})`;
}
