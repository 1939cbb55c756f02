/**
 * Finds the browsers that tests use. As root on Debian it installs missing ones. As a vitest globalSetup it provides their paths to tests:
 * `inject("chromium")`, `inject("firefox")`, "" if missing.
 */
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { installPackage } from "./debian.ts";

const browsers = {
  chromium: { variable: "CHROMIUM", what: "Chromium", package: "chromium" },
  firefox: { variable: "FIREFOX", what: "Firefox", package: "firefox-esr" },
} as const;

type Browser = keyof typeof browsers;

declare module "vitest" {
  interface ProvidedContext {
    chromium: string;
    firefox: string;
  }
}

export default function setup(project: TestProject): void {
  for (const browser of Object.keys(browsers) as Browser[]) {
    // The other projects use only Chromium.
    const wanted = browser === "chromium" || project.name === "client";
    project.provide(browser, wanted ? pathOf(browser) : "");
  }
}

function pathOf(browser: Browser): string {
  const path = find(browser) ?? install(browser);
  if (path !== undefined) return path;
  const { variable, what, package: name } = browsers[browser];
  const help = `The tests need ${what}. Install it (Debian: \`apt-get install ${name}\` as root), or set ${variable} to its path.`;
  if (process.env.CI) throw new Error(help);
  console.warn(`\n${help}\nUntil then what needs it is skipped.\n`);
  return "";
}

function find(browser: Browser): string | undefined {
  const { variable, package: name } = browsers[browser];
  const named = process.env[variable];
  if (named !== undefined && !existsSync(named)) throw new Error(`${variable}=${named}: no such file`);
  const installed = `/usr/bin/${name}`;
  return named ?? (existsSync(installed) ? installed : undefined);
}

function install(browser: Browser): string | undefined {
  return installPackage(browsers[browser].package) ? find(browser) : undefined;
}
