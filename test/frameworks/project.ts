/** A page of docs/frameworks as a project of its own, with the packed tarball: for what is installed and built. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Browser, Page } from "playwright-core";
import { pack } from "../../scripts/pack.ts";
import { freePorts, run, type Running } from "../deploy/processes.ts";
import { readPage } from "../docs/pages.ts";

export interface Project extends Disposable {
  readonly folder: string;
  readonly page: ReturnType<typeof readPage>;
}

/** @param name of the page, and of the folder here with its package.json. */
export function createProject(name: string): Project {
  const page = readPage(`docs/frameworks/${name}.md`);
  const folder = mkdtempSync(join(tmpdir(), `edgewire-${name}-`));
  for (const file of ["package.json", "package-lock.json", ".npmrc"]) cpSync(join(import.meta.dirname, name, file), join(folder, file));
  command(folder, "npm", "ci", "--prefer-offline");
  const installed = join(folder, "node_modules/edgewire");
  mkdirSync(installed);
  command(folder, "tar", "xzf", pack(), "-C", installed, "--strip-components=1");
  for (const { attributes, code } of page.blocks) {
    const file = attributes.get("file");
    if (file === undefined) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  return { folder, page, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** @throws Error with its output if it fails. */
export function command(cwd: string, program: string, ...args: string[]): void {
  const env = { ...process.env, ...quiet };
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: "utf8", timeout: 400_000 });
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")}: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`);
}

/** Vitest sets NODE_ENV to "test", which a newcomer does not. */
const quiet = { NO_COLOR: "1", CI: "1", NODE_ENV: "", NEXT_TELEMETRY_DISABLED: "1" };

/** Starts a server that prints this once it listens on the port in PORT; `{port}` in an argument stands for that. */
export async function serve(
  cwd: string,
  [program, ...args]: readonly [string, ...string[]],
  ready: RegExp,
  env: Record<string, string> = {},
): Promise<{ server: Running; url: string }> {
  const [port] = await freePorts(1);
  const given = args.map((arg) => arg.replace("{port}", String(port)));
  const server = run(program, given, { cwd, env: { ...quiet, PORT: String(port), ...env } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.line(ready);
  // In development Next refuses pages of 127.0.0.1.
  return { server, url: `http://localhost:${port}` };
}

/** Opens the page, and returns it once its socket is in the room. */
export async function visit(browser: Browser, url: string, announce: (text: string) => Promise<unknown>): Promise<Page> {
  const visitor = await browser.newPage();
  onTestFinished(() => visitor.close());
  // The first one is compiled while it is asked for.
  await visitor.goto(url, { timeout: 120_000 });
  await expect.poll(() => announce("first"), { timeout: 60_000, interval: 500 }).toEqual({ reached: 1 });
  await visitor.locator("li").getByText("first").first().waitFor();
  return visitor;
}

export async function post(url: string, type: string, body: string): Promise<unknown> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": type, connection: "close" }, body });
  return response.ok ? response.json() : response.text();
}
