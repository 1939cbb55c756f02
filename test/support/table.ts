/**
 * `npm run contract`: runs the suite, prints its table of cases × runtimes, and writes it into docs/maintainers/contract.md, between the markers of each chapter.
 * `--from FILE` reads the JSON report of a finished run instead (all of it: `CONTRACT=all npm test`). `--check` writes nothing, and fails if the page does not match the run.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { columns, isInRun, runs, type Chapter, type Column, type Run } from "./case.ts";
import { compatibilityDate } from "./runtimes.ts";
import { chapters } from "../contract/index.ts";
import { limits, type LimitId } from "./limits.ts";

type Outcome = "pass" | "fail" | LimitId;
type Results = ReadonlyMap<string, Outcome>;

const root = join(import.meta.dirname, "../..");
const page = join(root, "docs/maintainers/contract.md");
const keyOf = (id: string, run: string): string => `${id} ${run}`;

// Its tables have every case.
process.env["CONTRACT"] = "all";
const reportAt = process.argv.indexOf("--from");
const results = reportAt < 0 ? runSuite() : read(process.argv[reportAt + 1] ?? "");
const text = fill(readFileSync(page, "utf8"), results);
console.log(summary(results));
if (!process.argv.includes("--check")) writeFileSync(page, text);
else if (text !== readFileSync(page, "utf8")) fail("docs/maintainers/contract.md does not match this run: update it with npm run contract");
if ([...results.values()].includes("fail")) fail("some cases fail");

function read(file: string): Results {
  return readResults(JSON.parse(readFileSync(file, "utf8")) as Report);
}

function runSuite(): Results {
  const directory = mkdtempSync(join(tmpdir(), "contract-"));
  const output = join(directory, "results.json");
  try {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const args = [vitest, "run", "--project", "contract", "--reporter=dot", "--reporter=json", `--outputFile.json=${output}`];
    spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
    return read(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The part of vitest's JSON report that is used. */
interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly Result[] }[];
}

interface Result {
  readonly status: string;
  readonly meta: { readonly contract?: { readonly id: string; readonly run: string; readonly limit?: LimitId } };
}

function readResults(report: Report): Results {
  const found = new Map<string, Outcome>();
  for (const { status, meta } of report.testResults.flatMap((file) => file.assertionResults)) {
    if (meta.contract === undefined) continue;
    const { id, run, limit } = meta.contract;
    found.set(keyOf(id, run), status === "passed" ? (limit ?? "pass") : "fail");
  }
  // A case that did not run (because its runtime did not start) counts as failed.
  for (const { letter, cases } of chapters) {
    for (const { id } of cases)
      for (const run of runs) if (isInRun(run, letter) && !found.has(keyOf(id, run.name))) found.set(keyOf(id, run.name), "fail");
  }
  return found;
}

function fill(markdown: string, given: Results): string {
  let filled = markdown;
  for (const chapter of chapters) filled = replaceBetween(filled, `cases ${chapter.letter}`, chapterTable(chapter, given));
  filled = replaceBetween(filled, "limits", limitList());
  return replaceBetween(filled, "counts", counts(given));
}

function replaceBetween(markdown: string, marker: string, content: string): string {
  const [begin, end] = [`<!-- ${marker} -->\n`, `<!-- /${marker} -->`];
  const [from, to] = [markdown.indexOf(begin), markdown.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/maintainers/contract.md lacks the marker ${marker}`);
  return markdown.slice(0, from + begin.length) + content + markdown.slice(to);
}

function chapterTable({ letter, cases }: Chapter, given: Results): string {
  const shown: readonly Column[] = columns.filter((column) => isShown(column, letter));
  const rows = cases.map(({ id, statement }) => [
    id,
    statement.replaceAll("|", "\\|"),
    ...shown.map((column) => mark(given.get(keyOf(id, column)))),
  ]);
  return table(["", "statement", ...shown], rows);
}

function isShown(column: Column, letter: string): boolean {
  return isInRun({ column, date: compatibilityDate }, letter);
}

function mark(outcome: Outcome | undefined): string {
  return outcome === "pass" ? "✓" : outcome === "fail" || outcome === undefined ? "**fails**" : outcome;
}

function limitList(): string {
  return Object.entries(limits)
    .map(([id, { columns: where, why, evidence }]) => `- **${id}** (${where.join(", ")}): ${why}\n  Evidence: ${evidence}\n`)
    .join("");
}

function counts(given: Results): string {
  const row = (run: Run): string[] => {
    const all = chapters.filter(({ letter }) => isInRun(run, letter)).flatMap(({ cases }) => cases);
    const outcomes = all.map(({ id }) => given.get(keyOf(id, run.name)) ?? "fail");
    const [passed, failed] = (["pass", "fail"] as const).map((wanted) => outcomes.filter((outcome) => outcome === wanted).length) as [
      number,
      number,
    ];
    return [run.name, ...[all.length, passed, all.length - passed - failed, failed].map(String)];
  };
  return table(["", "cases", "pass", "platform limit", "fail"], runs.map(row));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function summary(given: Results): string {
  const lines = chapters.flatMap(({ letter, title, cases }) => [
    `${letter}. ${title}`,
    ...cases.map(
      ({ id, statement }) =>
        `  ${id.padEnd(4)} ${columns.map((column) => (isShown(column, letter) ? short(given.get(keyOf(id, column))) : "    ")).join(" ")}  ${statement}`,
    ),
  ]);
  return `     ${columns.map((column) => column.slice(0, 4).padEnd(4)).join(" ")}\n${lines.join("\n")}\n\n${limitList()}\n${counts(given)}`;
}

function short(outcome: Outcome | undefined): string {
  return (outcome === "pass" ? "✓" : (outcome ?? "fail")).padEnd(4);
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
