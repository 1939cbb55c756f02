/** The platforms of the battery: each runs every case in one process or page, and says what is wrong with it. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { launch as launchWith } from "puppeteer-core";
import { launch } from "../../support/chromium.ts";
import { denoBinary } from "../../support/runtimes.ts";
import { cases } from "./battery.ts";

export type Outcomes = Record<string, string>;
type Run = (server: string) => Promise<Outcomes>;

const root = join(import.meta.dirname, "../../..");
const file = (name: string): string => join(import.meta.dirname, name);

async function bundle(name: string, format: "esm" | "iife", target: string): Promise<string> {
  const conditions = format === "esm" ? ["workerd"] : [];
  const { outputFiles } = await build({ entryPoints: [file(name)], bundle: true, write: false, format, target, conditions });
  return outputFiles[0]?.text ?? "";
}

async function inProcess(command: string, ...args: string[]): Promise<Outcomes> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: root, timeout: 60_000, killSignal: "SIGKILL" });
  return JSON.parse(stdout) as Outcomes;
}

const deno = ["run", "--no-check", "--cached-only", "--node-modules-dir=manual", "--allow-all", file("entry.ts")];

function workerd(compatibilityDate: string): Run {
  return async (server) => {
    const script = await bundle("worker.ts", "esm", "es2024");
    const worker = new Miniflare(convertV4MiniflareOptions({ modules: true, script, compatibilityDate }));
    try {
      const outcomes = cases.map(async ({ name }) => {
        const query = new URLSearchParams({ case: name, server });
        return [name, await (await worker.dispatchFetch(`http://worker.example/?${query}`)).text()] as const;
      });
      return Object.fromEntries(await Promise.all(outcomes));
    } finally {
      await worker.dispose();
    }
  };
}

async function chromium(server: string): Promise<Outcomes> {
  const browser = await launch();
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://${server}/`);
    return (await tab.evaluate(`runAll("${server}", "chromium")`)) as Outcomes;
  } finally {
    await browser.close();
  }
}

function firefox(executablePath: string): Run {
  return async (server) => {
    const browser = await launchWith({ browser: "firefox", executablePath, headless: true });
    try {
      const tab = await browser.newPage();
      await tab.goto(`http://${server}/`);
      return (await tab.evaluate(`runAll("${server}", "firefox")`)) as Outcomes;
    } finally {
      await browser.close();
    }
  };
}

async function reactNative(server: string): Promise<Outcomes> {
  const folder = join(root, ".tmp/battery");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "native.mjs");
  writeFileSync(path, await bundle("page.ts", "iife", "es2018"));
  return inProcess(process.execPath, file("native.ts"), "react-native", server, path);
}

/** What a browser is shown. */
export async function page(): Promise<string> {
  return `<!doctype html><script>${await bundle("page.ts", "iife", "es2022")}</script>`;
}

/** By name. `browsers`: the paths of those that the machine has. */
export function platforms(browsers: { readonly chromium: string; readonly firefox: string }): Record<string, Run> {
  return {
    node: (server) => inProcess(process.execPath, file("entry.ts"), "node", server),
    ws: (server) => inProcess(process.execPath, file("entry.ts"), "ws", server),
    bun: (server) => inProcess(join(root, "node_modules/.bin/bun"), file("entry.ts"), "bun", server),
    deno: (server) => inProcess(denoBinary(), ...deno, "deno", server),
    workerd: workerd("2026-10-01"),
    // Before binary messages were Blobs, and before EventTarget kept a listener's error to itself.
    "workerd 2025": workerd("2025-01-01"),
    ...(browsers.chromium === "" ? {} : { chromium }),
    ...(browsers.firefox === "" ? {} : { firefox: firefox(browsers.firefox) }),
    "react-native": reactNative,
  };
}
