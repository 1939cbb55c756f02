/** What a server asks of its backplane, and how long it waits for it. */
import { integer } from "../../values/checks.ts";
import type { ClusterLimits } from "../host.ts";

/** How long a server waits for its backplane, and for other servers. */
export interface ClusterOptions {
  /** Milliseconds after which others take a silent server for dead. Default: 15 000; 1000 to 3 600 000. */
  readonly lease?: number | undefined;
  /** Milliseconds for which publishes wait for a backplane that does not answer: beyond, they throw. Default: 10 000; 100 to 3 600 000. */
  readonly patience?: number | undefined;
  /** Bytes of one room that wait for it: beyond, publishes throw. Default: 16 MiB; 1 KiB to 1 GiB. */
  readonly maxPending?: number | undefined;
  /** Milliseconds between two reports of how many connections a room has here. Default: 1000; 0 to 60 000. */
  readonly counts?: number | undefined;
}

const MiB = 1024 * 1024;
const checks = {
  lease: integer(1000, 3_600_000),
  patience: integer(100, 3_600_000),
  maxPending: integer(1024, 1024 * MiB),
  counts: integer(0, 60_000),
};

/** @throws TypeError, RangeError with the option's name. */
export function limitsOf(options: ClusterOptions): ClusterLimits {
  for (const name of Object.keys(options)) {
    if (!(name in checks))
      throw new TypeError(`backplane: unknown option "${name}": options are ${Object.keys(checks).join(", ")} [EW105]`);
  }
  const read = (name: keyof typeof checks, value: number): number => checks[name](`backplane.${name}`, options[name] ?? value);
  const lease = read("lease", 15_000);
  return {
    lease,
    patience: read("patience", 10_000),
    maxPending: read("maxPending", 16 * MiB),
    counts: read("counts", 1000),
    report: Math.floor(lease / 3),
    timeout: Math.min(3000, Math.floor(lease / 3)),
    late: 500,
    maxFrames: 4096,
  };
}
