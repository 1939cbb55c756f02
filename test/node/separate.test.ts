/** Several processes behind a port, each with rooms of its own: each of them says so. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What a program writes to stderr. */
async function saidBy(program: string): Promise<string> {
  mkdirSync(join(root, ".tmp"), { recursive: true });
  const folder = mkdtempSync(join(root, ".tmp/separate-"));
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    execFile(process.execPath, [file], { timeout: 20_000 }, (error, _, stderr) => (error === null ? resolve(stderr) : reject(error)));
    return await promise;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const lines = (said: string): string[] => said.split("\n").filter((line) => line.includes("EW665"));

const imports = `
  import cluster from "node:cluster";
  import { createServer } from "node:http";
  import { defineHandler } from "edgewire";
  import { memoryBackplane } from "edgewire/cluster";
  import { attach, serve } from "edgewire/node";
  const handler = defineHandler({ message(connection, data) { connection.publish("a", data); } });
`;

const workers = (begin: string): string => `${imports}
  if (cluster.isPrimary) for (const _ of [1, 2]) cluster.fork();
  else { ${begin}; process.exit(0); }
`;

test("each worker of node:cluster says once that its rooms are its own", async () => {
  const said = lines(await saidBy(workers("await serve(handler, { signals: false }); await serve(handler, { signals: false })")));
  expect(said).toHaveLength(2);
  for (const line of said)
    expect(line).toMatch(/^edgewire: this process is a worker of node:cluster .*Share a backplane \(docs\/guide\/clusters\.md\)/);
});

test("so does one that attaches to its own server", async () => {
  expect(lines(await saidBy(workers("attach(createServer(), handler)")))).toHaveLength(2);
});

test("a worker with a backplane says nothing", async () => {
  expect(lines(await saidBy(workers("await serve(handler, { signals: false, backplane: memoryBackplane() })")))).toEqual([]);
});

test.each([
  ["shares its port", "{ port: 0, reusePort: true }", 1],
  ["has its port alone", "{ port: 0 }", 0],
])("a server that %s", async (_, options, said) => {
  const program = `${imports}
    const server = createServer();
    attach(server, handler);
    await new Promise((listening) => createServer().listen(0, function () { this.close(listening); }));
    server.listen(${options}, () => process.exit(0));
  `;
  expect(lines(await saidBy(program))).toHaveLength(said);
});
