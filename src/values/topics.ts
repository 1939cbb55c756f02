/** Checks of a publish before anything is done. */
import type { Sendable } from "../api/connection.ts";
import type { BroadcastOptions, PublishOptions } from "../api/room.ts";
import { checkData } from "./data.ts";
import { checkName } from "./text.ts";

/** One topic, or several. */
export type Topics = string | readonly string[];

/** @throws TypeError for an invalid topic or data that can't be sent. */
export function checkPublish(topic: Topics, data: Sendable): void {
  checkTopics(topic);
  checkData(data);
}

/** @throws TypeError for anything but a topic or an array of topics. */
function checkTopics(topic: Topics): void {
  if (Array.isArray(topic)) for (const one of topic as readonly string[]) checkName("topic", one);
  else checkName("topic", topic as string);
}

type Ids = string | ReadonlySet<string> | undefined;

/** Whom to leave out: besides `sender`, if there is one. @throws TypeError for anything but ids. */
export function exceptOf(options: BroadcastOptions | undefined): Ids;
export function exceptOf<Sender extends { readonly id: string }>(options: BroadcastOptions | undefined, sender: Sender): Ids | Sender;
export function exceptOf(options: BroadcastOptions | undefined, sender?: { readonly id: string }): Ids | { readonly id: string } {
  const except: unknown = options?.except;
  if (except === undefined) return sender;
  if (typeof except === "string") return sender === undefined ? except : new Set([sender.id, except]);
  if (Array.isArray(except) && except.every((id) => typeof id === "string")) {
    return new Set<string>(sender === undefined ? except : [sender.id, ...(except as string[])]);
  }
  throw new TypeError(
    `except must be a connection's id or an array of ids, not ${Array.isArray(except) ? "an array of other values" : typeof except} [EW245]`,
  );
}

/** @throws TypeError for a key that is not a well-formed string of 1 to 512 bytes. */
export function keyOf(options: PublishOptions | undefined): string | undefined {
  const key = options?.key;
  if (key !== undefined) checkName("key", key);
  return key;
}

/** `exceptOf` for what belongs to no topic. @throws TypeError for a key, which would have no effect. */
export function exceptOfBroadcast(options: BroadcastOptions | undefined): Ids {
  if ((options as PublishOptions | undefined)?.key === undefined) return exceptOf(options);
  throw new TypeError("broadcast takes no key: only what is published to a topic is coalesced [EW246]");
}

/** Whether the id is the one, or among those. */
export function isAmong(ids: Ids, id: string): boolean {
  return typeof ids === "string" ? ids === id : ids?.has(id) === true;
}
