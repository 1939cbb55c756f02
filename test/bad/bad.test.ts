/** Bad input to what starts a server: each gets an error that says what was wrong and what is right, and nothing ends. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { commandFor, startWorker } from "../docs/run.ts";
import type { Runtime } from "../docs/run.ts";

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

test.each<Runtime>(["node", "bun", "deno"])("serve on %s", async (runtime) => {
  const [command, ...args] = commandFor(runtime, file("serve.ts"));
  const { stdout } = await promisify(execFile)(command, args);
  const lines = stdout.trim().split("\n");
  const errors = Object.fromEntries(
    lines.map((line) => {
      const { name, type, message } = JSON.parse(line) as Record<"name" | "type" | "message", string>;
      return [name, `${type}: ${message}`];
    }),
  );
  const tls = 'TypeError: serve: option "tls" must be { cert, key }, both PEM text or its bytes';
  const unreadable = expect.stringMatching(/^Error( \w+)?: serve: can't listen on port 0 of 127\.0\.0\.1: ./) as unknown;
  expect(errors).toEqual({
    "port in use": expect.stringMatching(
      /^Error EADDRINUSE: serve: port \d+ on 127\.0\.0\.1 is in use: choose another, or 0 for a free one \[EW601\]$/,
    ),
    "port out of range": 'RangeError: serve: option "port" is 70000: must be a whole number from 0 (a free one) to 65535 [EW629]',
    "port of the wrong type":
      'TypeError: serve: option "port" must be a number, not the string "3000": convert it with Number(process.env.PORT) [EW628]',
    "port that is none": 'RangeError: serve: option "port" is NaN: must be a whole number from 0 (a free one) to 65535 [EW629]',
    "hostname of the wrong type": 'TypeError: serve: option "hostname" must be a string, not 127 [EW630]',
    "unknown option":
      'TypeError: serve: unknown option "prot": options are port, hostname, fetch, tls, env, storage, backplane, signals [EW105]',
    "signals of the wrong type": 'TypeError: serve: option "signals" must be false, or an object of options [EW646]',
    "unknown option of signals":
      'TypeError: serve: option "signals" has an unknown option "deadlin": options are code, reason, spread, retry, deadline, raise [EW647]',
    "raise of the wrong type": 'TypeError: serve: option "signals.raise" must be true or false [EW648]',
    "deadline before spread": 'RangeError: close: "deadline" (1) comes before the end of "spread" (2) [EW235]',
    "fetch of the wrong type": 'TypeError: serve: option "fetch" must be a function [EW644]',
    "tls that is no object": `${tls}, not true [EW631]`,
    "tls without a key": `${tls}: "key" is missing [EW633]`,
    "tls with paths": `${tls}: "cert" has no "-----BEGIN CERTIFICATE-----" (if it is a path, read the file first) [EW636]`,
    "tls with an array": `${tls}: "cert" is an array [EW634]`,
    "tls with a Blob": `${tls}: "cert" is an object [EW634]`,
    "tls the wrong way round": `${tls}: "cert" has no "-----BEGIN CERTIFICATE-----" (if it is a path, read the file first) [EW636]`,
    "tls with a client's authority": `${tls}: "ca" is not supported, because Node, Bun and Deno treat it differently [EW632]`,
    "tls with an encrypted key": `${tls}: "key" is encrypted, which Deno can't read: decrypt it with openssl pkey -in key.pem -out plain.pem [EW635]`,
    "tls with another's key": unreadable,
    "tls that is no certificate": unreadable,
    "tls that is no key": unreadable,
    "hostname that is not ours": expect.stringMatching(/^Error EADDRNOTAVAIL: serve: can't listen on port 0 of 192\.0\.2\.1: ./),
    "no handler": "TypeError: serve takes a handler made by defineHandler({ … }) [EW113]",
    nothing: "TypeError: serve takes a handler made by defineHandler({ … }) [EW113]",
    "a room without a handler": expect.stringMatching(/^Error: room\(\) needs a handler/),
    "tls as bytes": ": TLSv1.3",
    alive: ": 426",
  });
});

test.each<Runtime>(["node", "bun", "deno"])("pages of fetch that can't be sent, on %s", async (runtime) => {
  const [command, ...args] = commandFor(runtime, file("unsendable.ts"));
  const { stdout } = await promisify(execFile)(command, args);
  const answers = Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => {
        const { path, answer } = JSON.parse(line) as { path: string; answer: string };
        return [path, answer];
      }),
  );
  const failed = "500 Internal Server Error\n";
  expect(answers).toEqual({
    "now/error": failed,
    "later/error": failed,
    "now/used": failed,
    "later/used": failed,
    "now/header": failed,
    "later/header": failed,
    "other/lookalike": failed,
    "other/being read": failed,
    "other/without headers": failed,
    "other/nothing": failed,
    "other/text": failed,
    "other/throws": failed,
    "other/rejects": failed,
    fine: "200 fine",
    "upgrade/other/being%20read": failed,
    "upgrade/fine": "200 fine",
  });
});

test("bindings and exports on workerd", async () => {
  const logged: string[] = [];
  await using server = await startWorker(
    file("worker.ts"),
    { ROOM: "ChatRoom", FOREIGN: "Foreign", SWAPPED: "ChatRoom", PLACED: "Placed" },
    {
      bindings: { TEXT: "not an object" },
      log: (line) => logged.push(line),
    },
  );
  const ask = async (name: string): Promise<string> => (await fetch(`http://127.0.0.1:${server.port}/misuse/${name}`)).text();
  expect(await ask("worker")).toMatch(/^\w*Error: .*edgewire\/durable/);
  expect(await ask("durable")).toMatch(/^TypeError: durable needs the handler's option "binding"/);
  expect(await ask("route")).toBe("TypeError: route takes a handler made by defineHandler({ … }) [EW113]");
  expect(await ask("route without upgrade")).toMatch(
    /^TypeError: route needs to know each client's room: return \{ room \} from the hook upgrade/,
  );
  expect(await ask("durable without upgrade")).toBe("function");
  expect(await ask("alarm")).toMatch(/^Error: worker: the handler has the hook "alarm", and .*edgewire\/durable/);
  expect(await ask("calls")).toMatch(/^Error: worker: the handler has "calls", and .*edgewire\/durable/);
  expect(await ask("serve")).toMatch(/^Error: edgewire\/serve starts a server on Node, Bun or Deno.*edgewire\/durable/);
  expect(await ask("rooms")).toMatch(/^TypeError: rooms takes a Durable Object binding like env\.ROOM, not a string/);

  const handshake = async (name: string): Promise<number | undefined> => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/route/${name}`);
    const response = await Promise.race([
      once(socket, "unexpected-response").then(([, one]) => one as IncomingMessage),
      once(socket, "open").then(() => undefined),
    ]);
    socket.on("error", () => {});
    socket.terminate();
    return response?.statusCode;
  };
  const wrong = {
    missing: /env\.MISSING is missing/,
    text: /env\.TEXT is a string/,
    foreign: /behind env\.FOREIGN/,
    swapped: /behind env\.SWAPPED .*binding "ROOM"/,
    roomless: /no room was chosen/,
  };
  for (const [name, message] of Object.entries(wrong)) {
    expect(await handshake(name), name).toBe(500);
    await expect.poll(() => logged.join("\n"), { timeout: 5000 }).toMatch(message);
  }
  expect(logged.join("\n")).toContain('[[durable_objects.bindings]] with name = "MISSING"');
  expect(await handshake("chat")).toBeUndefined();

  // workerd takes the hint, and outside Cloudflare's network has no jurisdictions: the object itself compares.
  expect(await handshake("placed")).toBeUndefined();
  expect(logged.join("\n")).toContain('jurisdiction "eu" is ignored');
  expect(await ask("placed")).toMatch(/^[01]$/);
  expect(await ask("misplaced")).toMatch(/^Error: room "lobby" was requested in no jurisdiction, but its handler is in jurisdiction "eu"/);
});
