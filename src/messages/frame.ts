/** The frames of docs/PROTOCOL.md: what an endpoint sends and accepts. */
import { MessageError, boundIssues, longestPath, longestText, mostIssues } from "./error.ts";
import type { Issue } from "./error.ts";

export interface MessageFrame {
  readonly type: "message";
  readonly name: string;
  readonly payload?: unknown;
  /** From the server: where it is in its topic's history. */
  readonly topic?: string;
  readonly position?: string;
  readonly time?: number;
}

/** Of a client, or of a server that asks one: each has ids of its own. */
export interface RequestFrame {
  readonly type: "request";
  readonly id: number;
  readonly name: string;
  readonly payload?: unknown;
  /** Opens a stream: the items that may be sent before more credit comes. */
  readonly credit?: number;
}

/** More credit for a stream. */
export interface CreditFrame {
  readonly type: "credit";
  readonly id: number;
  readonly n: number;
}

export interface CancelFrame {
  readonly type: "cancel";
  readonly id: number;
}

export interface ItemFrame {
  readonly type: "item";
  readonly id: number;
  readonly payload?: unknown;
}

export interface ResultFrame {
  readonly type: "result";
  readonly id: number;
  readonly payload?: unknown;
}

export interface ErrorFrame {
  readonly type: "error";
  readonly id?: number;
  readonly name?: string;
  readonly code: string;
  readonly message: string;
  readonly issues?: readonly Issue[];
}

/** A replay of the topic's history begins after this position. */
export interface PositionFrame {
  readonly type: "position";
  readonly topic: string;
  readonly position: string;
  /** Something before it is missing. */
  readonly gap?: boolean;
}

/** All members that are present, or a change. */
export interface PresenceFrame {
  readonly type: "presence";
  readonly topic: string;
  readonly members?: readonly SentMember[];
  readonly joined?: readonly SentMember[];
  /** Their ids. */
  readonly left?: readonly string[];
  readonly updated?: readonly SentMember[];
}

export interface SentMember {
  readonly id: string;
  readonly state: unknown;
  readonly connections: number;
}

/** The end of an exchange. */
export type AnswerFrame = ResultFrame | (ErrorFrame & { readonly id: number });

export type ClientFrame = MessageFrame | RequestFrame | CreditFrame | CancelFrame | ResultFrame | ErrorFrame;
export type ServerFrame = MessageFrame | RequestFrame | CancelFrame | ItemFrame | ResultFrame | ErrorFrame | PositionFrame | PresenceFrame;
export type Frame = ClientFrame | ServerFrame;

export function errorFrame({ code, message, about, issues }: MessageError, id?: number, name: string | undefined = about): ErrorFrame {
  return {
    type: "error",
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    code,
    message,
    ...(issues.length === 0 ? {} : { issues: boundIssues(issues) }),
  };
}

export function errorOf({ code, message, name, issues }: ErrorFrame): MessageError {
  return new MessageError(code, message, { about: name, issues });
}

/** Maximum levels of arrays and objects in a frame, itself included. */
export const maxDepth = 64;

/** Maximum number of items that a client may allow a stream to send. */
export const maxCredit = 1000;

/** The largest value of each field that is an integer. The other fields are strings. */
const integers: Readonly<Record<string, number>> = {
  id: Number.MAX_SAFE_INTEGER,
  time: Number.MAX_SAFE_INTEGER,
  credit: maxCredit,
  n: maxCredit,
};

/** Fields by type; `?` marks an optional one. Others are ignored, so that a later version can add some. */
const fields: Readonly<Record<string, readonly string[]>> = {
  message: ["name", "topic?", "position?", "time?"],
  request: ["id", "name", "credit?"],
  credit: ["id", "n"],
  cancel: ["id"],
  item: ["id"],
  result: ["id"],
  error: ["id?", "name?", "code", "message"],
  position: ["topic", "position"],
  presence: ["topic"],
};

/** Returns the decoded value if it is a frame of one of these types. @throws MessageError `bad-frame`. */
export function checkFrame<Type extends Frame["type"]>(value: unknown, types: readonly Type[]): Extract<Frame, { type: Type }> {
  checkPlain(value, 1);
  const frame = value as Readonly<Record<string, unknown>>;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badFrame("a frame is an object");
  const type = frame["type"];
  if (!types.includes(type as Type)) throw badFrame(`type must be one of ${types.join(", ")}`);
  for (const field of fields[type as Type] ?? []) {
    const name = field.replace("?", "");
    if (frame[name] === undefined && name !== field) continue;
    const most = integers[name];
    if (most === undefined ? typeof frame[name] !== "string" : !isInteger(frame[name], most)) {
      throw badFrame(`${name} must be ${most === undefined ? "a string" : `an integer from 0 to ${name === "id" ? "2^53 - 1" : most}`}`);
    }
  }
  return value as Extract<Frame, { type: Type }>;
}

/** Checks a server's frame. @throws MessageError `bad-frame`. */
export function checkServerFrame(value: unknown): ServerFrame {
  return checkIssues(checkFrame(value, ["message", "item", "result", "error", "request", "cancel", "position", "presence"]));
}

/** Checks a client's frame. Its errors are answers. @throws MessageError `bad-frame`. */
export function checkClientFrame(value: unknown): Exclude<ClientFrame, ErrorFrame> | AnswerFrame {
  const frame = checkIssues(checkFrame(value, ["message", "request", "credit", "cancel", "result", "error"]));
  if (frame.type === "error" && frame.id === undefined) throw badFrame("an error of a client needs an id");
  return frame as Exclude<ClientFrame, ErrorFrame> | AnswerFrame;
}

/** The application relies on their types. */
function checkIssues<Some extends Frame>(frame: Some): Some {
  if (frame.type !== "error" || areIssues(frame.issues)) return frame;
  throw badFrame(`issues must be up to ${mostIssues} of { path, message }, with texts of up to ${longestText}`);
}

function areIssues(issues: unknown): boolean {
  if (issues === undefined) return true;
  const isText = (value: unknown): boolean => typeof value === "string" && value.length <= longestText;
  const isIssue = (issue: Partial<Record<"path" | "message", unknown>> | null): boolean =>
    isText(issue?.message) &&
    Array.isArray(issue?.path) &&
    issue.path.length <= longestPath &&
    issue.path.every((part) => isText(part) || Number.isSafeInteger(part));
  return Array.isArray(issues) && issues.length <= mostIssues && issues.every(isIssue);
}

export function isInteger(value: unknown, most: number = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

export function badFrame(message: string): MessageError {
  return new MessageError("bad-frame", `${message} [EW501]`);
}

/** Refuses values that could harm code that copies objects key by key, or recurses into them. */
function checkPlain(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (depth > maxDepth) throw badFrame(`more than ${maxDepth} levels of arrays and objects`);
  if (Array.isArray(value)) {
    for (const item of value) checkPlain(item, depth + 1);
    return;
  }
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (key === "__proto__" || (key === "constructor" && typeof item === "object" && item !== null && Object.hasOwn(item, "prototype"))) {
      throw badFrame(`the key ${key} is not allowed`);
    }
    checkPlain(item, depth + 1);
  }
}
