/** Checks of a publish before anything is done. */
import { checkData } from "./data.ts";
import { checkName } from "./text.ts";
import type { Sendable } from "../api/connection.ts";

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
