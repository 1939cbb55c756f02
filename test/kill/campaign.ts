/**
 * `npm run campaign:kill`: kills servers under load, `KILLS` times over the three runtimes (default: 1000), and writes docs/maintainers/kills.md. `KILL_SEED` is
 * the seed of its random choices. It goes on after a fault, and ends with an error if there was one, or if a control was not caught.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runtimes, type RuntimeName } from "./process.ts";
import { run, summaryOf, type Report } from "./run.ts";
import { runScheduled, type ScheduledReport } from "./scheduled.ts";

const kills = Number(process.env["KILLS"] ?? 1000);
const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
/** Of a control, at most. */
const controlKills = 60;
/** Milliseconds between two lines of progress. */
const pause = 5000;

const begin = performance.now();
console.log(`${kills} kills, seed ${seed}`);
const reports: Report[] = [];
const controls: Report[] = [];
const scheduled: ScheduledReport[] = [];
for (const runtime of runtimes) {
  reports.push(await killing(runtime, Math.ceil(kills / runtimes.length)));
  controls.push(await control(runtime));
  scheduled.push(await runScheduled({ runtime, calls: 10 * kills, rooms: 20, seconds: 20, seed }));
  console.log(JSON.stringify(scheduled.at(-1)));
}
const minutes = Math.round((performance.now() - begin) / 6000) / 10;
write();
const faults = reports.flatMap(({ runtime, said }) => said.map((what) => `${runtime}: ${what}`));
for (const { runtime, ran, calls, early, problems } of scheduled)
  if (ran[1] !== calls || early > 0 || problems.length > 0)
    faults.push(`${runtime}: scheduled calls: ${JSON.stringify({ ran, early, problems })}`);
for (const fault of faults) console.error(fault);
const escaped = controls.filter(({ missing }) => missing === 0);
for (const { runtime } of escaped) console.error(`${runtime}: the control was not caught`);
process.exit(faults.length + escaped.length > 0 ? 1 : 0);

async function killing(runtime: RuntimeName, count: number): Promise<Report> {
  let told = performance.now();
  const report = await run({
    runtime,
    kills: count,
    seed,
    progress(now) {
      if (performance.now() - told < pause) return;
      told = performance.now();
      console.log(summaryOf(now));
    },
  });
  console.log(summaryOf(report));
  return report;
}

async function control(runtime: RuntimeName): Promise<Report> {
  const report = await run({ runtime, kills: controlKills, seed, late: true });
  console.log(`control, ${summaryOf(report)}`);
  return report;
}

function write(): void {
  const rows = reports.map(({ runtime, kills: count, moments, messages, values, missing, twice, other, longestStart }, index) => {
    const caught = controls[index]!;
    const result = caught.missing === 0 ? `not caught in ${caught.kills} kills` : `${caught.missing} missing after ${caught.kills} kills`;
    const when = [moments.load, moments.checkpoint, moments.start, moments.twice];
    return `| ${[runtime, count, ...when, messages, values, missing, twice, other, `${Math.round(longestStart)} ms`, result].join(" | ")} |`;
  });
  const scheduledRows = scheduled.map(
    ({ runtime, calls, kills: count, ran: { 0: none = 0, 1: once = 0 }, early }) =>
      `| ${[runtime, calls, count, once, calls - once - none, none, early].join(" | ")} |`,
  );
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const [cpu] = cpus();
  const page = `# Kills

For maintainers. \`npm run campaign:kill\` wrote this page: servers that keep their rooms in a file (\`edgewire/sqlite\`) are killed with SIGKILL while six
clients in three rooms have 16 orders under way, and are started again on the same file at once. The clients publish to four histories, short and long, text
and bytes, with and without positions; they set values, count, and change two values together. After each kill all that any client was shown is compared with what
the file has: messages and their positions, \`complete\`, values. Nothing may be missing, nothing may be there twice, and numbers go on.

The control is the same program without the gate, and with a commit that comes 5 ms late: it shows that the comparison finds what is lost. It ends
with the first loss.

Seed ${seed}, commit ${commit}, ${new Date().toISOString().slice(0, 10)}, ${minutes} minutes, ${cpus().length} × ${cpu?.model.trim() ?? "unknown"}.

| runtime | kills | under load | at a checkpoint | while it starts | as it listens again | messages shown | values shown | missing | twice | other faults | longest start after a kill | the control |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

## Scheduled calls

Calls are scheduled in 20 rooms for the next 20 seconds, and the server is killed about every second until these are over. A call adds one to a number of its
own in its last turn, so a number above 1 would be a call that ran twice, and one that is missing a call that was lost.

| runtime | calls | kills | ran once | more than once | not at all | early |
| --- | --- | --- | --- | --- | --- | --- |
${scheduledRows.join("\n")}
`;
  writeFileSync(join(import.meta.dirname, "../../docs/maintainers/kills.md"), page);
}
