/** Every hostname means the same on each runtime, and `server.url` is where somebody is. */
import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { commandFor } from "../docs/run.ts";
import type { Runtime } from "../docs/run.ts";

const ipv4 = {
  "": "http://localhost hello",
  "0.0.0.0": "http://localhost hello",
  localhost: "http://localhost hello",
  "127.0.0.1": "http://127.0.0.1 hello",
  "127.0.0.7": "http://127.0.0.7 hello",
};
const ipv6 = {
  "::": "http://localhost hello",
  "[::]": "http://localhost hello",
  "::1": "http://[::1] hello",
  "[::1]": "http://[::1] hello",
};
// A container may have none.
const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"));
const expected = hasIPv6 ? { ...ipv4, ...ipv6 } : ipv4;

test.each<Runtime>(["node", "bun", "deno"])("hostnames on %s", async (runtime) => {
  const [command, ...args] = commandFor(runtime, fileURLToPath(new URL("hostnames.ts", import.meta.url)));
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, HOSTNAMES: Object.keys(expected).join(" ") } });
  expect(JSON.parse(stdout)).toEqual(expected);
});
