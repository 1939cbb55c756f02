/**
 * Checks whether this machine can create a virtual network that a test may cut (test/cut/network.ts). As root on Debian it installs the tools.
 * As a vitest globalSetup it provides what is missing to tests: `inject("noNetwork")`, "" if nothing is.
 */
import { spawnSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { installPackage } from "./debian.ts";

declare module "vitest" {
  interface ProvidedContext {
    noNetwork: string;
  }
}

export default function setup(project: TestProject): void {
  const missing = whatIsMissing() ?? "";
  if (missing !== "") console.warn(`\nNo cable can be cut here: ${missing}\nThose tests are skipped.\n`);
  project.provide("noNetwork", missing);
}

/** ip-netns(8) and veth(4) need CAP_NET_ADMIN, and mounting a namespace's name needs CAP_SYS_ADMIN, which containers usually drop. */
function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's (namespaces(7))";
  if (process.getuid?.() !== 0) return "making a network namespace takes root (CAP_SYS_ADMIN, CAP_NET_ADMIN: capabilities(7))";
  if (!hasTools() && !(installPackage("iproute2") && hasTools())) return "there is no `ip`; Debian: `apt-get install iproute2`";
  const name = `edgewire-${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (made.status !== 0) return `the container drops CAP_SYS_ADMIN or CAP_NET_ADMIN (${made.stderr.trim()})`;
  const pair = spawnSync("ip", ["-n", name, "link", "add", "ew0", "type", "veth", "peer", "name", "ew1"], { encoding: "utf8" });
  spawnSync("ip", ["netns", "delete", name]);
  return pair.status === 0 ? undefined : `the kernel or the container has no veth pairs (${pair.stderr.trim()})`;
}

function hasTools(): boolean {
  return spawnSync("ip", ["-V"]).status === 0;
}
