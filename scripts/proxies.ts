/**
 * Finds the proxies of docs/deploy/proxies.md. As root on Debian it installs what is missing. As a vitest globalSetup it provides their paths to
 * tests: `inject("proxies")`, "" for one that is missing.
 */
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { installPackage } from "./debian.ts";

// apache2-bin is Apache without a service that would start at once.
const proxies = {
  nginx: { package: "nginx", path: "/usr/sbin/nginx" },
  Caddy: { package: "caddy", path: "/usr/bin/caddy" },
  haproxy: { package: "haproxy", path: "/usr/sbin/haproxy" },
  Apache: { package: "apache2-bin", path: "/usr/sbin/apache2" },
} as const;

export type ProxyName = keyof typeof proxies;

declare module "vitest" {
  interface ProvidedContext {
    proxies: Record<ProxyName, string>;
  }
}

export default function setup(project: TestProject): void {
  const names = Object.keys(proxies) as ProxyName[];
  project.provide("proxies", Object.fromEntries(names.map((name) => [name, find(name)])) as Record<ProxyName, string>);
}

function find(name: ProxyName): string {
  const { package: packageName, path } = proxies[name];
  if (existsSync(path) || (installPackage(packageName) && existsSync(path))) return path;
  const help = `The tests need ${name} at ${path}. Install it (Debian: \`apt-get install ${packageName}\` as root).`;
  if (process.env.CI) throw new Error(help);
  console.warn(`\n${help}\nUntil then what needs it is skipped.\n`);
  return "";
}
