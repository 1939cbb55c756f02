/** Misuses of `serve`, each answered by one line: its name, and the error. Runs on Node, Bun and Deno. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { connect } from "node:tls";
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";

const echo = defineHandler({ message: (connection, data) => void connection.send(data) });
const hostname = "127.0.0.1";
const file = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");
const [cert, key, other] = [file("cert"), file("key"), file("other-key")];
const pem = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const taken = await serve(echo, { hostname });

const misuses: Record<string, () => Promise<unknown>> = {
  "port in use": () => serve(echo, { hostname, port: taken.port }),
  "port out of range": () => serve(echo, { hostname, port: 70_000 }),
  "port of the wrong type": () => serve(echo, { hostname, port: "3000" as never }),
  "port that is none": () => serve(echo, { hostname, port: Number.NaN }),
  "hostname of the wrong type": () => serve(echo, { hostname: 127 as never }),
  "unknown option": () => serve(echo, { hostname, prot: 1 } as never),
  "signals of the wrong type": () => serve(echo, { hostname, signals: true as never }),
  "unknown option of signals": () => serve(echo, { hostname, signals: { deadlin: 1 } as never }),
  "raise of the wrong type": () => serve(echo, { hostname, signals: { raise: "no" as never } }),
  "deadline before spread": () => serve(echo, { hostname, signals: { spread: 2, deadline: 1 } }),
  "fetch of the wrong type": () => serve(echo, { hostname, fetch: "x" as never }),
  "tls that is no object": () => serve(echo, { hostname, tls: true as never }),
  "tls without a key": () => serve(echo, { hostname, tls: { cert } as never }),
  "tls with paths": () => serve(echo, { hostname, tls: { cert: "cert.pem", key: "key.pem" } }),
  "tls with an array": () => serve(echo, { hostname, tls: { cert: [cert], key } as never }),
  "tls with a Blob": () => serve(echo, { hostname, tls: { cert: new Blob([cert]), key } as never }),
  "tls the wrong way round": () => serve(echo, { hostname, tls: { cert: key, key: cert } }),
  "tls with a client's authority": () => serve(echo, { hostname, tls: { cert, key, ca: cert, requestCert: true } as never }),
  "tls with an encrypted key": () => serve(echo, { hostname, tls: { cert, key: key.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY") } }),
  "tls with another's key": () => serve(echo, { hostname, tls: { cert, key: other } }),
  "tls that is no certificate": () => serve(echo, { hostname, tls: { cert: pem("CERTIFICATE"), key } }),
  "tls that is no key": () => serve(echo, { hostname, tls: { cert, key: pem("PRIVATE KEY") } }),
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
  const { code } = error as { readonly code?: string };
  console.log(JSON.stringify({ name, type: code === undefined ? error.name : `${error.name} ${code}`, message: error.message }));
}
const bytes = await serve(echo, { hostname, tls: { cert: new TextEncoder().encode(cert), key: new TextEncoder().encode(key) } });
const spoken = await new Promise<string>((resolve) => {
  const socket = connect({ host: hostname, port: bytes.port, rejectUnauthorized: false }, () => resolve(String(socket.getProtocol())));
  socket.on("error", (error) => resolve(error.message));
});
console.log(JSON.stringify({ name: "tls as bytes", type: "", message: spoken }));
// The process and the first server are as well as before.
console.log(JSON.stringify({ name: "alive", type: "", message: String((await fetch(`http://127.0.0.1:${taken.port}/`)).status) }));
process.exit(0);
