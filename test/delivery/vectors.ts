/** The part `delivery` of docs/vectors.json, as docs/PROTOCOL.md describes it. */
import { readFileSync } from "node:fs";
import type { Data } from "../../src/api/connection.ts";

/** Text; `{ $bytes }` for bytes in hexadecimal; any other object for a control frame. */
export type Written = string | { readonly $bytes: string } | object;

export interface Step {
  /** A connection opens. The client must offer these subprotocols. */
  readonly connect?: readonly string[];
  /** The connection is lost: without a close frame, or closed so by the server. */
  readonly lose?: true | { readonly code: number; readonly reason: string };
  /** A message comes from the server. */
  readonly receive?: Written;
  /** The application sends a message. */
  readonly say?: Written;
  /** The application closes. */
  readonly close?: true;
  /** What the client must give to the application in this step, in order: nothing if it is left out. */
  readonly gives?: readonly object[];
  /** What the client must send to the server in this step, in order: nothing if it is left out. */
  readonly sends?: readonly Written[];
  /** The client must find that the server breaks the protocol. */
  readonly broken?: true;
}

interface WireForm {
  readonly name: string;
  readonly direction: "to server" | "to client";
  readonly text?: string;
  readonly binary?: string;
}

export interface DeliveryVectors {
  readonly frames: readonly (WireForm & { readonly frame: object })[];
  readonly bad: readonly WireForm[];
  /** `protocols` are the application's: none if they are left out. */
  readonly sessions: readonly { readonly name: string; readonly protocols?: readonly string[]; readonly steps: readonly Step[] }[];
}

const file = new URL("../../docs/vectors.json", import.meta.url);
export const vectors: DeliveryVectors = (JSON.parse(readFileSync(file, "utf8")) as { readonly delivery: DeliveryVectors }).delivery;

export function wireOf({ text, binary = "" }: WireForm): Data {
  return text ?? Uint8Array.from(Buffer.from(binary, "hex"));
}

export function dataOf(written: Written): Data {
  if (typeof written === "string") return written;
  return "$bytes" in written ? Uint8Array.from(Buffer.from(written.$bytes, "hex")) : `!${JSON.stringify(written)}`;
}

/** As it stands in the vectors: the order of a control frame's keys is not prescribed. */
export function writtenOf(data: unknown): unknown {
  if (typeof data === "string") return data.startsWith("!") ? JSON.parse(data.slice(1)) : data;
  return { $bytes: Buffer.from(data as Uint8Array).toString("hex") };
}

/** What a client must show of a step. */
export function expectationOf({ connect, gives, sends, broken }: Step): Step {
  return Object.fromEntries(Object.entries({ connect, gives, sends, broken }).filter(([, value]) => value !== undefined));
}
