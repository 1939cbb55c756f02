/** What a process tells of itself besides: its heap after a collection, and the streams that it forgot. workerd can tell neither. */
import { heap } from "../../serve/heap.ts";
import { answer } from "./answer.ts";
import { openStreams } from "./bodies.ts";

export function answerProcess(request: Request): unknown {
  const { pathname } = new URL(request.url);
  if (pathname === "/heap") return heap();
  return pathname === "/held" ? Response.json(openStreams()) : answer(request);
}
