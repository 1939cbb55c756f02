/** Starts servers and proxies, and ends them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";

export interface Running extends AsyncDisposable {
  /** What it printed to stdout, line by line. */
  readonly lines: readonly string[];
  /** Resolves to a line that it has printed or prints; rejects if it ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Sends SIGTERM, and resolves to the exit status when it has ended. */
  stop(): Promise<number | null>;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Variables beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

export function run(command: string, args: readonly string[], { cwd, env }: RunOptions = {}): Running {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const log: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((one) => one());
  let ended = false;
  createInterface({ input: child.stderr }).on("line", (line) => void log.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    wake();
  });
  const gone = once(child, "close").then(() => {
    ended = true;
    wake();
  });
  return {
    lines,
    async line(pattern) {
      for (;;) {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        if (ended) throw new Error(`${command} ended without printing ${pattern}:\n${[...lines, ...log].join("\n")}`);
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    async stop() {
      child.kill("SIGTERM");
      await gone;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Ports that were free a moment ago, all different. */
export async function freePorts<Count extends number>(count: Count): Promise<readonly number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => once(probe.close(), "close")));
  return ports;
}
