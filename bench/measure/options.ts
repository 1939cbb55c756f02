/** Parses the command's flags. Errors also say what is valid. */
import { parseArgs } from "node:util";
import { comparison, impossible, modes, suite, type Comparison, type Mode, type Numbers } from "../report/comparison.ts";
import { runtimes, type Runtime } from "../servers/contenders.ts";
import { defaultGenerator, generators, type Generator } from "../load/load.ts";

export const usage = `npm run bench -- --runtime node --mode echo [flags]     one comparison
npm run bench -- --all --minutes 45 --write [flags]     every runtime and mode, in about that time
npm run bench -- --report                               writes docs/maintainers/performance.md from bench/results

  --runtime       ${runtimes.join(", ")} (default: node; with --all: all; separate several by commas)
  --mode          ${modes.join(", ")} (default: echo; with --all: all; separate several by commas)
  --servers       the servers to compare, separated by commas; ratios are to the first (default: all that the runtime has)
  --before        the folder of another checkout, already built: its Edgewire is measured too, and ratios are to it
  --connections   default: 64 echo, 1 latency, 1000 fanout and slow, 8000 idle, 10000 wake
  --inflight      messages, publishes or handshakes in flight at once (default: echo 8, connect 64, others 1)
  --bytes         size of a message, at least 9 (default: 32; slow: 262144)
  --type          text, binary (default: text)
  --rounds        slices of each server (default: 180; above 2000 connections: 45; slow and wake: 15; idle: 5)
  --slice         milliseconds of a slice (default: 25)
  --quick         5 rounds of 150 ms, to check that it works
  --minutes       with --all: no comparison starts a round after its share of this time
  --generator     ${generators.join(", ")} (default: c if there is a C compiler)
  --profile       shows where Edgewire (or the servers of --servers) spends its time, with the runtime's profiler
  --write         stores the result in bench/results, and writes docs/maintainers/performance.md
  --help`;

export class UsageError extends Error {}

export interface Options {
  readonly comparisons: readonly Comparison[];
  readonly servers: readonly string[] | undefined;
  /** The folder of a checkout, whose Edgewire is compared as `before`. */
  readonly before: string | undefined;
  readonly rounds: number | undefined;
  readonly slice: number;
  readonly quick: boolean;
  /** Minutes for all comparisons together. */
  readonly minutes: number | undefined;
  readonly generator: Generator;
  readonly write: boolean;
  readonly report: boolean;
  readonly profile: boolean;
  readonly help: boolean;
}

const text = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;
const flags = {
  runtime: text,
  mode: text,
  servers: text,
  before: text,
  connections: text,
  inflight: text,
  bytes: text,
  type: text,
  rounds: text,
  slice: text,
  minutes: text,
  generator: text,
  all: flag,
  quick: flag,
  write: flag,
  report: flag,
  profile: flag,
  help: flag,
};

export function parse(args: readonly string[]): Options {
  const { values } = read(args);
  const whole = (name: keyof Numbers | "rounds" | "slice" | "minutes", least: number): number | undefined => {
    const given = values[name];
    if (given === undefined) return undefined;
    if (!/^\d+$/.test(given) || Number(given) < least) throw new UsageError(`--${name} ${given}: must be a whole number from ${least}`);
    return Number(given);
  };
  const several = <Value extends string>(name: "runtime" | "mode", all: readonly Value[], otherwise: Value): readonly Value[] => {
    const given = values[name];
    if (given === undefined) return values.all ? all : [otherwise];
    return given.split(",").map((one) => member(name, one, all));
  };
  const chosen = several<Runtime>("runtime", runtimes, "node");
  const wanted = several<Mode>("mode", modes, "echo");
  const type = values.type === undefined ? undefined : member("type", values.type, ["text", "binary"] as const);
  const numbers = defined({
    connections: whole("connections", 1),
    inflight: whole("inflight", 1),
    bytes: whole("bytes", 9),
    type,
  });
  if (values.all && Object.keys(numbers).length > 0)
    throw new UsageError(`--${Object.keys(numbers)[0]}: can't be combined with --all, where every comparison has its own`);
  if (values.minutes !== undefined && !values.all) throw new UsageError("--minutes: needs --all");
  const unprofiled = wanted.find((mode) => mode === "idle" || mode === "slow" || mode === "wake");
  if (values.profile && (values.all || unprofiled !== undefined))
    throw new UsageError("--profile: needs --mode echo, latency, fanout or connect");
  return {
    comparisons: values.all
      ? suite().filter(({ runtime, mode }) => chosen.includes(runtime) && wanted.includes(mode))
      : chosen.flatMap((runtime) => wanted.map((mode) => possible(comparison(runtime, mode, numbers)))),
    servers: values.servers?.split(",") ?? (values.before === undefined ? undefined : ["before", "edgewire"]),
    before: values.before,
    rounds: whole("rounds", 1) ?? (values.quick ? 5 : undefined),
    slice: whole("slice", 10) ?? (values.quick ? 150 : 25),
    quick: values.quick,
    minutes: whole("minutes", 1),
    generator: values.generator === undefined ? defaultGenerator() : member("generator", values.generator, generators),
    write: values.write,
    report: values.report,
    profile: values.profile,
    help: values.help,
  };
}

function read(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof flags }>> {
  try {
    return parseArgs({ args: [...args], options: flags });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

function member<Value extends string>(name: string, given: string, all: readonly Value[]): Value {
  const found = all.find((one) => one === given);
  if (found === undefined) throw new UsageError(`--${name} ${given}: must be one of ${all.join(", ")}`);
  return found;
}

function possible(one: Comparison): Comparison {
  const reason = impossible(one.runtime, one.mode);
  if (reason !== undefined) throw new UsageError(`--mode ${one.mode} --runtime ${one.runtime}: ${reason}`);
  return one;
}

function defined(numbers: { readonly [Key in keyof Numbers]: Numbers[Key] | undefined }): Partial<Numbers> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)) as Partial<Numbers>;
}
