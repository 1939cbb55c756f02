/** Misuses of `serve`, each answered by one line: its name, and the error. Runs on Node, Bun and Deno. */
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";

const echo = defineHandler({ message: (connection, data) => void connection.send(data) });
const hostname = "127.0.0.1";
const taken = await serve(echo, { hostname });

const misuses: Record<string, () => Promise<unknown>> = {
  "port in use": () => serve(echo, { hostname, port: taken.port }),
  "port out of range": () => serve(echo, { hostname, port: 70_000 }),
  "port of the wrong type": () => serve(echo, { hostname, port: "80" as never }),
  "unknown option": () => serve(echo, { hostname, prot: 1 } as never),
  "signals of the wrong type": () => serve(echo, { hostname, signals: true as never }),
  "unknown option of signals": () => serve(echo, { hostname, signals: { deadlin: 1 } as never }),
  "raise of the wrong type": () => serve(echo, { hostname, signals: { raise: "no" as never } }),
  "deadline before spread": () => serve(echo, { hostname, signals: { spread: 2, deadline: 1 } }),
  "fetch of the wrong type": () => serve(echo, { hostname, fetch: "x" as never }),
  "tls without a key": () => serve(echo, { hostname, tls: { cert: "x" } as never }),
  "tls that is no certificate": () => serve(echo, { hostname, tls: { cert: "x", key: "y" } }),
  "hostname that is not ours": () => serve(echo, { hostname: "192.0.2.1" }),
  "no handler": () => serve({ message() {} } as never),
  nothing: () => serve(undefined as never),
  "a room without a handler": async () => (await serve({ hostname, fetch: () => new Response("x") })).room("x"),
};

for (const [name, misuse] of Object.entries(misuses)) {
  const error = await misuse().then(
    () => new Error("no error"),
    (reason: unknown) => reason as Error,
  );
  console.log(JSON.stringify({ name, type: error.name, message: error.message }));
}
// The process and the first server are as well as before.
console.log(JSON.stringify({ name: "alive", type: "", message: String((await fetch(`http://127.0.0.1:${taken.port}/`)).status) }));
process.exit(0);
