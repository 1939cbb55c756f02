/** What is checked of a publish before anything is done. */
import { checkData } from "./data.ts";
import { checkName } from "./text.ts";
import type { Sendable } from "../api/connection.ts";

/** One topic, or several. */
export type Topics = string | readonly string[];

/** @throws TypeError for what is no topic or can't be sent. */
export function checkPublish(topic: Topics, data: Sendable): void {
  checkTopics(topic);
  checkData(data);
}

/** @throws TypeError for what is neither a topic nor an array of topics. */
function checkTopics(topic: Topics): void {
  if (Array.isArray(topic)) for (const one of topic as readonly string[]) checkName("topic", one);
  else checkName("topic", topic as string);
}
