/**
 * Finds the browsers that tests use. As root on Debian it installs missing ones. As a vitest globalSetup it provides their paths to tests:
 * `inject("chromium")`, `inject("firefox")`, "" if missing.
 * Of Chromium it takes the shell, which has no windows, where there is one: a page takes a quarter of the processor's time.
 */
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { installPackage } from "./debian.ts";

/** Packages: of Debian, the best first. Each installs a command of its name. */
const browsers = {
  chromium: { variable: "CHROMIUM", what: "Chromium", packages: ["chromium-headless-shell", "chromium"] },
  firefox: { variable: "FIREFOX", what: "Firefox", packages: ["firefox-esr"] },
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
  const { variable, what, packages } = browsers[browser];
  const named = process.env[variable];
  if (named !== undefined && !existsSync(named)) throw new Error(`${variable}=${named}: no such file`);
  const path = named ?? packages.map(installed).find((one) => one !== undefined);
  if (path !== undefined) return path;
  const help = `The tests need ${what}. Install it (Debian: \`apt-get install ${packages[0]}\` as root), or set ${variable} to its path.`;
  if (process.env.CI) throw new Error(help);
  console.warn(`\n${help}\nUntil then what needs it is skipped.\n`);
  return "";
}

/** The command of a package, which is installed if it is missing and can be. */
function installed(name: string): string | undefined {
  const path = `/usr/bin/${name}`;
  return existsSync(path) || (installPackage(name) && existsSync(path)) ? path : undefined;
}
