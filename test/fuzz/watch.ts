/** What a server's process holds: memory and descriptors, from /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The process that listens on a port: with workerd the child of the one that was started. */
export function listenerOf(port: number): number {
  const inode = listeningInode(port);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (linksOf(pid).includes(`socket:[${inode}]`)) return Number(pid);
  }
  throw new Error(`no process of ours listens on port ${port}`);
}

function listeningInode(port: number): string {
  const lines = ["tcp", "tcp6"].flatMap((name) => readFileSync(`/proc/net/${name}`, "utf8").trim().split("\n").slice(1));
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    const listens = fields[3] === "0A";
    if (listens && Number.parseInt(fields[1]!.split(":")[1]!, 16) === port) return fields[9]!;
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** What the descriptors of a process are; empty for a process that is gone, or another user's. */
function linksOf(pid: number | string): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

export class Watch {
  readonly #pid: number;
  readonly #port: number;
  readonly #tellsHeap: boolean;

  constructor(port: number, tellsHeap: boolean) {
    this.#pid = listenerOf(port);
    this.#port = port;
    this.#tellsHeap = tellsHeap;
  }

  /** Open descriptors, but for files: a Durable Object has three for its database. */
  get descriptors(): number {
    return linksOf(this.#pid).filter((target) => !target.startsWith("/")).length;
  }

  /** MiB of heap after a collection; undefined on workerd, which tells nobody. */
  async heap(): Promise<number | undefined> {
    if (!this.#tellsHeap) return undefined;
    const response = await fetch(`http://127.0.0.1:${this.#port}/heap`, { headers: { connection: "close" } });
    return ((await response.json()) as number) / 2 ** 20;
  }

  /** Resident memory in MiB. */
  get memory(): number {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8"))?.[1];
    if (kilobytes === undefined) throw new Error(`process ${this.#pid} has no memory: it is ending`);
    return Number(kilobytes) / 1024;
  }
}

/** Polls until what is measured is at most `limit`, or `patience` milliseconds are over; the last value either way. */
export async function settle(measure: () => number | Promise<number>, limit: number, patience: number): Promise<number> {
  const deadline = Date.now() + patience;
  for (;;) {
    const value = await measure();
    if (value <= limit || Date.now() > deadline) return value;
    await sleep(100);
  }
}
