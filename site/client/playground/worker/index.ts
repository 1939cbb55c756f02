/** The worker in the sandbox: gets a port to the page, and runs the handler. */
import type { Command, Report } from "../protocol.ts";
import { Budget } from "./budget.ts";
import { problemOf } from "./compile.ts";
import { provideRandomUUID } from "./random.ts";
import { Stage } from "./stage.ts";

provideRandomUUID();
addEventListener("message", ({ data: port }: MessageEvent<MessagePort>) => serve(port), { once: true });

function serve(port: MessagePort): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has one other end
  const budget = new Budget((one: Report) => port.postMessage(one));
  const report = (one: Report): void => budget.report(one);
  const trouble = (error: unknown): void => report({ type: "problem", problem: problemOf(error) });
  const stage = new Stage(report);
  addEventListener("unhandledrejection", ({ reason }) => trouble(reason));
  addEventListener("error", ({ error, message }) => trouble(error ?? message));
  port.onmessage = ({ data }: MessageEvent<Command>) => void stage.obey(data);
  report({ type: "ready" });
}
