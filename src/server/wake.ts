/** After an eviction: the `wake` hooks of all connections. */
import type { Connection } from "../connection/connection.ts";
import { isPromise } from "../values/promise.ts";
import type { Server } from "./server.ts";

/** Port: every connection is restored. Runs their `wake` hooks; the promise, if any, settles when they have ended. */
export function wakeAll(server: Pick<Server, "hooks" | "connections">): Promise<unknown> | undefined {
  if (server.hooks.wake === undefined) return undefined;
  // A list, because a hook may close any of them.
  const connections: readonly Connection[] = [...server.connections()];
  const running = connections.map((connection) => connection.woke()).filter(isPromise);
  return running.length === 0 ? undefined : Promise.all(running);
}
