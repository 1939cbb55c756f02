/**
 * `npm start [-- workerd|bun|deno|node]`: builds the chat and runs it on that runtime, on a free port, until it is stopped. `npm run cursors` does
 * the same with the cursors, `npm run assistant` with the assistant. CHAT_STATE names a folder for what the chat keeps, ASSISTANT_STATE for the assistant; by
 * default workerd keeps it in .wrangler, the others in chat.db or assistant.db.
 *
 * `npm start -- node --nodes 2` runs the chat on two processes (also of bun and deno) behind a balancer, with a Redis that they share.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { bundle } from "./bundle.ts";
import { Balancer } from "./cluster/balancer.ts";
import { Nodes } from "./cluster/nodes.ts";
import { startRedis } from "./cluster/redis.ts";

const root = join(import.meta.dirname, "..");
const modules = join(root, "node_modules");
const usualPort = 8787;
/** What `--nodes` may be. */
const [fewest, most] = [2, 16];

interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Example {
  /** How it is run. */
  readonly command: string;
  /** What is printed before its address. */
  readonly says: string;
  /** Its wrangler.toml. */
  readonly config: string;
}

const examples: Readonly<Record<string, Example>> = {
  chat: { command: "npm start", says: "Chat is at", config: "wrangler.toml" },
  cursors: { command: "npm run cursors", says: "Cursors are at", config: "examples/cursors/wrangler.toml" },
  assistant: { command: "npm run assistant", says: "The assistant is at", config: "examples/assistant/wrangler.toml" },
};

const runtimes: Readonly<Record<string, (example: string, port: number) => Command>> = {
  workerd: (example, port) => ({
    file: process.execPath,
    args: [
      join(modules, "wrangler/bin/wrangler.js"),
      "dev",
      `--config=${examples[example]?.config}`,
      "--local",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--inspector-port=0",
      "--log-level=warn",
      "--show-interactive-dev-session=false",
      ...stateOf(example),
    ],
    // Keeps wrangler from asking for a login, and from using the network.
    env: { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" },
  }),
  bun: (example) => ({ file: join(modules, ".bin/bun"), args: [serverOf(example)] }),
  deno: (example) => ({
    file: deno(),
    args: ["run", "--no-check", "--cached-only", "--node-modules-dir=manual", "--allow-all", serverOf(example)],
  }),
  node: (example) => ({ file: process.execPath, args: [serverOf(example)] }),
};

async function main([example = "", runtime = "workerd", ...rest]: readonly string[]): Promise<void> {
  const { command, says } = examples[example] ?? fail(`${example}: choose one of ${Object.keys(examples).join(", ")}.`);
  const run = runtimes[runtime];
  const asked = `${command} -- ${[runtime, ...rest].join(" ")}`;
  if (run === undefined || (rest.length > 0 && rest[0] !== "--nodes")) fail(`${asked}: choose one of ${Object.keys(runtimes).join(", ")}.`);
  const nodes = rest.length === 0 ? 1 : countNodes(asked, example, runtime, rest.slice(1));
  const port = await choosePort(process.env["PORT"], command);
  const build = spawnSync(process.execPath, [join(modules, "typescript/bin/tsc"), "-b", import.meta.dirname], {
    cwd: root,
    stdio: "inherit",
  });
  if (build.status !== 0) fail("The build failed (see above).");
  await bundle(example);

  if (nodes === 1) await startOne(runtime, run(example, port), port);
  else await startSeveral(nodes, run(example, port), port, says);
  // server.ts prints the address itself.
  if (runtime === "workerd") await answering(`http://localhost:${port}/`);
  if (runtime === "workerd" || nodes > 1) console.log(`${says} http://localhost:${port}`);
}

/** How many nodes are asked for: the chat alone has a server for that. */
function countNodes(asked: string, example: string, runtime: string, [count = "", ...rest]: readonly string[]): number {
  if (example !== "chat") fail(`${asked}: the chat alone runs on several nodes.`);
  if (runtime === "workerd") fail(`${asked}: on Cloudflare each room is an object. Several nodes are processes of node, bun or deno.`);
  const nodes = Number(count);
  if (!Number.isInteger(nodes) || nodes < fewest || nodes > most || rest.length > 0)
    fail(`${asked}: --nodes takes a number from ${fewest} to ${most}.`);
  return nodes;
}

/** It ends when the child does. */
async function startOne(runtime: string, { file, args, env }: Command, port: number): Promise<void> {
  const child = spawn(file, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env, PORT: String(port) },
  });
  child.once("error", (error) => fail(`${runtime} could not be started: ${error.message}. Was npm ci run?`));
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    stopping = true;
    child.kill(signal);
  };
  onStop(stop);
  child.once("exit", (code) => process.exit(stopping ? 0 : (code ?? 1)));
}

/** Nodes, a balancer before them, and the Redis that they share. Resolves when the nodes listen. */
async function startSeveral(count: number, { file, args }: Command, port: number, says: string): Promise<void> {
  const redis = await startRedis().catch((error: Error) => fail(error.message));
  const balancer = await Balancer.listen(port);
  const nodes = new Nodes({
    file,
    args,
    cwd: root,
    env: { ...process.env, REDIS_URL: redis.url },
    says,
    onPort: (each) => balancer.add(each),
  });
  let stopping: Promise<void> | undefined;
  onStop(() => void (stopping ??= nodes.stop().then(() => (balancer.close(), redis.stop(), process.exit(0)))));
  await nodes.start(count).catch(async (error: Error) => (await stopping, fail(error.message)));
}

/** On Ctrl+C the terminal also signals the children; a second signal does no harm. */
function onStop(stop: (signal: NodeJS.Signals) => void): void {
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGHUP", () => stop("SIGTERM"));
  // npm passes signals only to the shell that it started. The shell dies without passing them on, so its end is the only sign.
  const parent = process.ppid;
  if (process.env["npm_lifecycle_event"] !== undefined) setInterval(() => process.ppid !== parent && stop("SIGTERM"), 250).unref();
}

/** Where workerd keeps what the example keeps. */
function stateOf(example: string): readonly string[] {
  const state = process.env[`${example.toUpperCase()}_STATE`];
  return state === undefined ? [] : [`--persist-to=${state}`];
}

function serverOf(example: string): string {
  return join(import.meta.dirname, example, "server.ts");
}

/** PORT, or the first free port from 8787 on. */
async function choosePort(wanted: string | undefined, command: string): Promise<number> {
  if (wanted !== undefined) {
    const port = Number(wanted);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) fail(`PORT=${wanted}: a port is a number from 1 to 65535.`);
    if (!(await isFree(port))) fail(`Port ${port} is in use. Stop what uses it, or choose another: PORT=3000 ${command}`);
    return port;
  }
  for (let port = usualPort; port < usualPort + 20; port++) {
    if (!(await isFree(port))) continue;
    if (port !== usualPort) console.log(`Port ${usualPort} is in use: taking ${port} instead.`);
    return port;
  }
  return fail(`Ports ${usualPort} to ${usualPort + 19} are all in use. Choose another: PORT=3000 ${command}`);
}

/** Servers listen on one address or on all addresses: a port is free if both are possible. */
async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", undefined]) {
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
    });
    if (!free) return false;
  }
  return true;
}

async function answering(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Deno's native binary: the one in .bin is a script that does not pass signals on. */
function deno(): string {
  const [binary] = globSync("@deno/*/deno{,.exe}", { cwd: modules });
  return binary !== undefined && existsSync(join(modules, binary)) ? join(modules, binary) : "deno";
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

await main(process.argv.slice(2));
