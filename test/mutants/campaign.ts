/**
 * Plants faults in src/, one at a time, and looks whether a test notices: `npm run campaign:mutants`. A mutant that does not compile is none.
 * `MUTANTS`: how many (120). `MUTANTS_SEED`: which (1). `MUTANTS_WORKERS`: how many at a time (2). First all get the tests that are quick, then those
 * that nobody has noticed get the others, which take minutes. It writes each result as a line of .tmp/mutants/results.jsonl, and goes on from there
 * when it is started again with the same seed.
 */
import { spawnSync, spawn } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../fuzz/random.ts";
import { mutantsOf, type Mutant } from "./mutate.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".tmp/mutants");
const results = join(folder, "results.jsonl");
const wanted = Number(process.env["MUTANTS"] ?? 120);
const seed = Number(process.env["MUTANTS_SEED"] ?? 1);
const workers = Number(process.env["MUTANTS_WORKERS"] ?? 2);
/** Milliseconds after which a run is taken for one that hangs, which a fault may cause. */
const patience = 300_000;
/** The same for the tests that are quick. */
const shortPatience = 90_000;

interface Result {
  readonly seed: number;
  readonly at: string;
  readonly from: string;
  readonly to: string;
  /** "unnoticed": by the first stage; the others have not been run. */
  readonly outcome: "killed" | "survived" | "unnoticed" | "does not compile";
  readonly by?: string;
}

/** Tests that are likely to notice come first; the first that fails ends it. */
function stagesFor(file: string): readonly (readonly string[])[] {
  if (file.startsWith("src/client/")) return [["--project", "client"]];
  if (file.startsWith("src/messages/"))
    return [
      ["--project", "messages"],
      ["--project", "types"],
    ];
  return [
    ["--project", "unit", "--project", "process", "--project", "contract", "test/unit", "test/columns/memory"],
    ["--project", "contract", "test/columns/node"],
    ["--project", "model", "--project", "workers"],
    ["--project", "process", "test/node"],
  ];
}

function tracked(): readonly string[] {
  return spawnSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
    .stdout.split("\n")
    .filter((file) => file !== "");
}

function tree(worker: number): string {
  const at = join(folder, `tree${worker}`);
  rmSync(at, { recursive: true, force: true });
  for (const file of tracked()) if (existsSync(join(root, file))) cpSync(join(root, file), join(at, file));
  symlinkSync(join(root, "node_modules"), join(at, "node_modules"));
  return at;
}

async function run(at: string, command: string, args: readonly string[], milliseconds = patience): Promise<number> {
  const child = spawn(join(at, "node_modules/.bin", command), args, { cwd: at, stdio: "ignore", detached: true });
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), milliseconds);
  const code = await new Promise<number>((resolve) => child.on("exit", (status) => resolve(status ?? 1)));
  clearTimeout(timer);
  return code;
}

/** A test that a busy machine makes fail is no witness: only what fails twice counts. */
async function passes(at: string, stage: readonly string[], milliseconds?: number): Promise<boolean> {
  for (let time = 0; time < 2; time++) if ((await run(at, "vitest", ["run", "--bail", "1", ...stage], milliseconds)) === 0) return true;
  return false;
}

/** Without a fault all tests must pass there, or every mutant would count as killed. */
async function checkBaseline(at: string): Promise<void> {
  for (const file of ["src/server/server.ts", "src/client/socket.ts", "src/messages/client.ts"]) {
    for (const stage of stagesFor(file)) {
      if (await passes(at, stage)) continue;
      throw new Error(`without any fault the tests fail: vitest run ${stage.join(" ")}`);
    }
  }
}

type Pass = "quick" | "thorough";

async function judge(at: string, mutant: Mutant, pass: Pass): Promise<Result> {
  const { file, line, from, to, text } = mutant;
  const result = { seed, at: `${file}:${line}`, from, to };
  const original = readFileSync(join(root, file), "utf8");
  writeFileSync(join(at, file), text);
  try {
    const stages = stagesFor(file);
    if (pass === "quick" && (await run(at, "tsc", ["-p", "src", "--noEmit"])) !== 0) return { ...result, outcome: "does not compile" };
    for (const stage of pass === "quick" ? stages.slice(0, 1) : stages.slice(1)) {
      if (!(await passes(at, stage, pass === "quick" ? shortPatience : undefined)))
        return { ...result, outcome: "killed", by: stage.join(" ") };
    }
    return { ...result, outcome: pass === "quick" && stages.length > 1 ? "unnoticed" : "survived" };
  } finally {
    writeFileSync(join(at, file), original);
  }
}

mkdirSync(folder, { recursive: true });
const all = tracked()
  .filter((file) => /^src\/.+\.ts$/.test(file) && !file.startsWith("src/api/"))
  .flatMap((file) => mutantsOf(file, readFileSync(join(root, file), "utf8")));
const random = new Random(seed);
const order = [...all];
for (let index = order.length - 1; index > 0; index--) {
  const other = random.int(0, index);
  [order[index], order[other]] = [order[other]!, order[index]!];
}
const known = new Map<string, Result>();
if (existsSync(results)) {
  for (const text of readFileSync(results, "utf8")
    .split("\n")
    .filter((one) => one !== "")) {
    const result = JSON.parse(text) as Result;
    if (result.seed === seed) known.set(`${result.at} ${result.from} ${result.to}`, result);
  }
}
const counts = (): { tried: number; killed: number } => {
  const judged = [...known.values()].filter(({ outcome }) => outcome !== "does not compile");
  return { tried: judged.length, killed: judged.filter(({ outcome }) => outcome === "killed").length };
};
console.log(`${all.length} places in src/, seed ${seed}: ${wanted} mutants, of which ${counts().tried} are known`);
const trees = Array.from({ length: workers }, (_, worker) => tree(worker));
await checkBaseline(trees[0]!);
let next = 0;
async function work(worker: number, pass: Pass): Promise<void> {
  const at = trees[worker]!;
  while (next < order.length) {
    if (pass === "quick" && counts().tried >= wanted) return;
    const mutant = order[next++]!;
    const key = `${mutant.file}:${mutant.line} ${mutant.from} ${mutant.to}`;
    const before = known.get(key);
    if (pass === "quick" ? before !== undefined : before?.outcome !== "unnoticed") continue;
    const result = await judge(at, mutant, pass);
    known.set(key, result);
    appendFileSync(results, `${JSON.stringify(result)}\n`);
    const { tried, killed } = counts();
    if (result.outcome !== "does not compile")
      console.log(`${tried}/${wanted} ${result.outcome} ${result.at}: ${result.from} -> ${result.to || "(deleted)"}; ${killed} killed`);
  }
}
for (const pass of ["quick", "thorough"] as const) {
  next = 0;
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker, pass)));
}
const { tried, killed } = counts();
console.log(`${killed} of ${tried} mutants killed. Survivors:`);
for (const { outcome, at, from, to } of known.values()) if (outcome === "survived") console.log(`  ${at}: ${from} -> ${to || "(deleted)"}`);
