/** What makes a server on Node slow without anyone seeing it: what is loaded that nobody needs, and objects that V8 keeps as hash tables. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const dist = join(import.meta.dirname, "../../dist");

/** In a process of its own, whose last line is JSON. */
function run(script: string, ...flags: string[]): unknown {
  const printed = execFileSync(process.execPath, [...flags, "--input-type=module", "--eval", script], { cwd: dist, encoding: "utf8" });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "");
}

const served = `
  const { serve } = await import("${dist}/adapters/node/index.js");
  const { defineHandler } = await import("${dist}/src/index.js");
  const server = await serve(defineHandler({ message: (connection, data) => void connection.send(data) }), { hostname: "127.0.0.1" });
  const { WebSocket } = await import("ws");
  const client = new WebSocket("ws://127.0.0.1:" + server.port);
  await new Promise((resolve) => client.on("open", resolve));
  client.send("one");
  await new Promise((resolve) => client.on("message", resolve));
  const fetch = process.moduleLoadList.filter((name) => name.includes("undici")).length;`;

test("a server that needs no fetch does not load it", () => {
  expect(run(`${served} console.log(JSON.stringify(fetch)); process.exit();`)).toBe(0);
});

test("a refusal loads it: the count sees what it should", () => {
  const refused = `${served}
    await new Promise((resolve) => new WebSocket("ws://127.0.0.1:" + server.port, { origin: "https://elsewhere.example" }).on("error", resolve));
    console.log(process.moduleLoadList.filter((name) => name.includes("undici")).length); process.exit();`;
  expect(run(refused)).toBeGreaterThan(0);
});

test("settings are looked up by their shape", () => {
  const script = `import { defineHandler } from "${dist}/src/index.js";
    const given = [{}, { maxPayload: 10, rate: false, observe: {}, origins: ["https://a.example"] }];
    const oneByOne = {};
    for (let index = 0; index < 30; index++) oneByOne["name" + index] = index;
    console.log(JSON.stringify([...given.map((options) => defineHandler(options).settings), oneByOne].map((one) => %HasFastProperties(one))));`;
  // The last is what they were.
  expect(run(script, "--allow-natives-syntax")).toEqual([true, true, false]);
});

test("what ws ends again is not asked again, which would make errors that nobody sees", () => {
  const script = `${served}
    const { Writable } = await import("node:stream");
    const { end } = Writable.prototype;
    let again = 0;
    // Not the client's, which is in this process too.
    Writable.prototype.end = function (...args) {
      if (this.writableEnded && (this.server !== undefined || this._isServer === true)) again++;
      return end.apply(this, args);
    };
    const leave = async (client, server) => {
      client.close();
      await new Promise((resolve) => client.on("close", resolve));
      await new Promise((resolve) => setTimeout(resolve, 50));
      return again;
    };
    const ours = await leave(client);
    const { WebSocketServer } = await import("ws");
    const bare = new WebSocketServer({ port: 0 });
    const other = new WebSocket("ws://127.0.0.1:" + bare.address().port);
    await new Promise((resolve) => other.on("open", resolve));
    console.log(JSON.stringify({ ours, bare: (await leave(other)) > 0 }));
    process.exit();`;
  expect(run(script)).toEqual({ ours: 0, bare: true });
});
