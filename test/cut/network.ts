/**
 * A network of its own for some clients, with a cable that can be cut: what is sent then vanishes, and neither TCP is told anything.
 * Linux's network namespaces (ip-netns(8)) and a pair of virtual Ethernet devices (veth(4)).
 */
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from "node:child_process";

export class Network {
  /** Where a server has to listen for those on the other end. */
  readonly address: string;
  readonly #name = `edgewire-${process.pid}`;
  /** At most 15 letters. */
  readonly #near = `ewn${process.pid}`;
  readonly #far = `ewf${process.pid}`;

  constructor() {
    // Of 198.18.0.0/15, which RFC 2544 keeps for tests; four addresses for each process, so that two runs don't meet.
    const net = (process.pid % 2 ** 14) * 4;
    const host = (number: number): string => `198.18.${(net + number) >> 8}.${(net + number) & 255}`;
    this.address = host(1);
    ip("netns", "add", this.#name);
    ip("link", "add", this.#near, "type", "veth", "peer", "name", this.#far, "netns", this.#name);
    ip("addr", "add", `${host(1)}/30`, "dev", this.#near);
    ip("link", "set", this.#near, "up");
    ip("-n", this.#name, "addr", "add", `${host(2)}/30`, "dev", this.#far);
    this.mend();
  }

  /** A process on the other end. */
  run(command: string, args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn("ip", ["netns", "exec", this.#name, command, ...args], { stdio: "pipe" });
  }

  cut(): void {
    ip("-n", this.#name, "link", "set", this.#far, "down");
  }

  mend(): void {
    ip("-n", this.#name, "link", "set", this.#far, "up");
  }

  /** The devices go with the namespace, once its last process has ended. */
  remove(): void {
    ip("link", "delete", this.#near);
    ip("netns", "delete", this.#name);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
