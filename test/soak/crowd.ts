/** Many clients of one server, a few thousand in each process: test/soak/burst.ts. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const perProcess = 5000;

export class Crowd {
  readonly #members: { readonly child: ChildProcessWithoutNullStreams; readonly lines: AsyncIterator<string> }[];

  constructor(port: number, count: number, target: string) {
    const processes = Math.ceil(count / perProcess);
    this.#members = Array.from({ length: processes }, (_, index) => {
      const share = Math.floor((count + index) / processes);
      const file = new URL("burst.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, [file, String(port), String(share), target], { stdio: "pipe" });
      child.stderr.pipe(process.stderr);
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
    });
  }

  /** All of them connect at once: how many were accepted. */
  async open(): Promise<number> {
    const answers = await this.#tell("open");
    return answers.reduce((sum, answer) => sum + Number(answer.slice("OPEN ".length)), 0);
  }

  /** All of them, in one turn. */
  async reset(): Promise<void> {
    await this.#tell("reset");
  }

  /** As many connect at once, send their handshake, and reset without waiting for an answer. */
  async rush(): Promise<void> {
    await this.#tell("rush");
  }

  end(): void {
    for (const { child } of this.#members) child.kill();
  }

  #tell(what: string): Promise<string[]> {
    return Promise.all(
      this.#members.map(async ({ child, lines }) => {
        child.stdin.write(`${what}\n`);
        const { value, done } = await lines.next();
        if (done) throw new Error(`a process of clients has ended instead of ${what}`);
        return value;
      }),
    );
  }
}

/** How many descriptors a process may have: Node raises its own limit to this one, and its children inherit it. */
export function mostDescriptors(): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return hard === undefined ? Infinity : Number(hard);
}
