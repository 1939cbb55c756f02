/**
 * Several processes behind one port have rooms of their own, unless they share a backplane: two clients of one room may never meet, and nothing fails.
 * So a process that looks like one of several says so once.
 */
import type * as Channels from "node:diagnostics_channel";
import { log } from "../../src/values/log.ts";

const cure =
  "each of them has rooms of its own, so clients of one room may not reach each other. Share a backplane (docs/guide/clusters.md), or send all clients of a room to one process";
let isSaid = false;

/** @param server of which the application says later where it listens; ours never shares its port. */
export function warnOfSeparateRooms(backplane: object | undefined, server?: object): void {
  if (backplane !== undefined || isSaid) return;
  const cluster = process.getBuiltinModule("node:cluster") as unknown as { readonly isWorker: boolean } | undefined;
  // PM2's cluster mode forks its workers by node:cluster too.
  if (cluster?.isWorker === true) say("this process is a worker of node:cluster (as in PM2's cluster mode)");
  else if (server !== undefined) watchListening(server);
}

function watchListening(server: object): void {
  const channels = process.getBuiltinModule("node:diagnostics_channel") as typeof Channels | undefined;
  const name = "tracing:net.server.listen:asyncStart";
  const of = new WeakRef(server);
  const listens = (message: unknown): void => {
    const { server: which, options } = Object(message) as { readonly server?: object; readonly options?: { readonly reusePort?: boolean } };
    const watched = of.deref();
    if (watched !== undefined && which !== watched) return;
    channels?.unsubscribe(name, listens);
    if (watched !== undefined && options?.reusePort === true) say("the server shares its port (reusePort)");
  };
  channels?.subscribe(name, listens);
}

function say(what: string): void {
  if (isSaid) return;
  isSaid = true;
  log("warn", `${what}: ${cure} [EW665]`);
}
