/** The layers hold: lint fails on each wrong import, and docs/maintainers/architecture.md and its picture say what is true. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { draw } from "../../scripts/structure/draw.ts";
import { layerOf, layers } from "../../scripts/structure/layers.ts";
import { withTable } from "../../scripts/structure/table.ts";
import { root } from "./pages.ts";

const read = (name: string): string => readFileSync(join(root, name), "utf8");
const page = read("docs/maintainers/architecture.md");

describe("lint", () => {
  let copy = "";
  // Oxlint follows no import from a folder whose tsconfig.json extends one that is missing.
  const parts = [
    "src",
    "adapters",
    "bench",
    "examples",
    "scripts",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "package.json",
    "tsconfig.json",
    ".oxlintrc.json",
    ".oxfmtrc.json",
  ];
  const isSource = (path: string): boolean => !/[/\\](?:node_modules|results|\.tmp|public[/\\]js)$/.test(path);

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "edgewire-structure-"));
    for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true, filter: isSource });
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  function run(command: string, ...args: string[]): { readonly status: number | null; readonly output: string } {
    const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"]}` };
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: copy, env, encoding: "utf8" });
    return { status, output: stdout + stderr };
  }

  /** Lint's output with these lines before those of their files, which are as they were afterwards. */
  function lintWith(planted: Readonly<Record<string, string>>, command: readonly [string, ...string[]] = lint): ReturnType<typeof run> {
    for (const [file, lines] of Object.entries(planted)) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `${lines}\n${existsSync(join(root, file)) ? read(file) : ""}`);
    }
    try {
      return run(...command);
    } finally {
      for (const file of Object.keys(planted)) {
        if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
        else rmSync(join(copy, file));
      }
    }
  }

  const lint = [process.execPath, "--run", "lint"] as const;
  const circleOfTypes = {
    "src/values/memo.ts": 'export type { Second as First } from "./promise.ts";',
    "src/values/promise.ts": 'import type { Third } from "./stack.ts";\nexport type Second = Third;',
    "src/values/stack.ts": 'import type { First } from "./memo.ts";\nexport type Third = First;',
  };
  const circleOfValues = {
    "bench/report/table.ts": 'export { second } from "./chart.ts";',
    "bench/report/chart.ts": 'import { third } from "./targets.ts";\nexport const second = (): unknown => third;',
    "bench/report/targets.ts": 'import { second } from "./table.ts";\nexport const third = second;',
  };

  test("passes on the tree as it is", { timeout: 60_000 }, () => {
    const { status, output } = run(...lint);
    expect(status, output).toBe(0);
  });

  test.each<[what: string, planted: Record<string, string>, named: string]>([
    [
      "a circle of types",
      circleOfTypes,
      "src/values/memo.ts: a circle of imports: src/values/memo.ts -> src/values/promise.ts -> src/values/stack.ts -> src/values/memo.ts",
    ],
    [
      "a circle by a type's import()",
      {
        "examples/chat/metrics.ts": 'export type First = import("./messages.ts").Second;',
        "examples/chat/messages.ts": 'export type Second = import("./metrics.ts").First;',
      },
      "examples/chat/messages.ts: a circle of imports: examples/chat/messages.ts -> examples/chat/metrics.ts -> examples/chat/messages.ts",
    ],
    [
      "a circle of values",
      circleOfValues,
      "bench/report/chart.ts: a circle of imports: bench/report/chart.ts -> bench/report/targets.ts -> bench/report/table.ts -> bench/report/chart.ts",
    ],
    [
      "an upward arrow",
      { "src/values/memo.ts": 'import { RoomRegistry } from "../rooms/registry.ts";\nexport const up = RoomRegistry;' },
      "src/values/memo.ts:1: values -> rooms (src/rooms/registry.ts). values may import: api, ports",
    ],
    [
      "an upward arrow of a type",
      { "src/ports.ts": 'export type Up = import("./server/server.ts").Server;' },
      "src/ports.ts:1: ports -> server (src/server/server.ts). ports may import: api",
    ],
    [
      "an upward export",
      { "src/handler/define.ts": 'export {\n  // What it doesn\'t own.\n  push,\n} from "../connection/sending.ts";' },
      "src/handler/define.ts:4: handler -> connection (src/connection/sending.ts). handler may import: api, ports, values, time, protocol",
    ],
    [
      "the client's half of messages that imports the handler's",
      { "src/messages/client.ts": 'export { messageHandler } from "./handler.ts";' },
      "src/messages/client.ts:1: messages -> messages/handler (src/messages/handler.ts). messages may import: api, values, protocol",
    ],
    [
      "an adapter that imports another",
      { "adapters/bun/topics.ts": 'export type { Attached } from "../node/options.ts";' },
      "adapters/bun/topics.ts:1: bun -> node (adapters/node/options.ts). bun may import: api, ",
    ],
    [
      "an adapter that imports another by the package's name",
      { "adapters/workers/close.ts": 'export { serve } from "edgewire/node";' },
      "adapters/workers/close.ts:1: workers -> node (adapters/node/index.ts). workers may import: api, ",
    ],
    [
      "a core file that imports from outside",
      { "src/values/memo.ts": 'import { raise } from "../../adapters/shared/raise.ts";\nexport const outside = raise;' },
      "src/values/memo.ts:1: values -> shared (adapters/shared/raise.ts). values may import: api, ports",
    ],
    [
      "a core file that imports a test",
      { "src/values/memo.ts": 'export { Log } from "../../test/support/log.ts";' },
      "src/values/memo.ts:1: values -> outside (test/support/log.ts). values may import: api, ports",
    ],
    [
      "a core file that imports a package",
      { "src/api/stats.ts": 'import "node:fs";' },
      "src/api/stats.ts:1: api -> outside (node:fs). api may import: nothing but itself",
    ],
    [
      "a computed import",
      { "src/values/memo.ts": "export const load = (name: string): Promise<unknown> => import(name);" },
      "src/values/memo.ts:1: an import of a computed name can't be checked.",
    ],
    [
      "a phrase that reads as if translated",
      { "src/values/new.ts": "/** What is no number. */" },
      'src/values/new.ts:1: "What is no". Write ',
    ],
    ["a long sentence in a page", { "README.md": "word ".repeat(31) }, "README.md:1: a sentence of 31 words, at most 30 are allowed"],
    ["a folder on no layer", { "src/new.ts": "export {};" }, "src/new.ts: belongs to no layer."],
    ["a long file", { "src/values/long.ts": "// A line.\n".repeat(250) }, "src/values/long.ts: 251 lines. At most 250 are allowed"],
    [
      "a large folder",
      Object.fromEntries(Array.from({ length: 19 }, (_, index) => [`bench/large/${index}.ts`, "export {};"])),
      "bench/large: 19 files. At most 18 are allowed",
    ],
  ])("fails on %s", (_, planted, named) => {
    const { status, output } = lintWith(planted);
    expect(output).toContain(named);
    expect(status).toBe(1);
  });

  test.each([
    ["types", circleOfTypes, "src/values/memo.ts"],
    ["values", circleOfValues, "bench/report/chart.ts"],
  ])("oxlint finds a circle of %s by itself", (_, planted, named) => {
    const { status, output } = lintWith(planted, ["oxlint"]);
    expect(output).toContain("import(no-cycle)");
    expect(output).toContain(named);
    expect(status).toBe(1);
  });
});

test("each layer may import only layers before it in the list", () => {
  for (const [index, { name, may }] of layers.entries()) {
    const before = layers.slice(0, index).map((layer) => layer.name);
    expect(before, name).toEqual(expect.arrayContaining([...may]));
  }
  expect(layerOf("src/messages/client.ts")?.name).toBe("messages");
  expect(layerOf("src/messages/hooks.ts")?.name).toBe("messages/handler");
});

describe("docs/maintainers/architecture.md", () => {
  test("the picture and the table are what `npm run structure` writes", () => {
    expect(read("docs/maintainers/architecture.svg"), "npm run structure").toBe(draw(root));
    expect(page, "npm run structure").toBe(withTable(page));
  });

  test("CONTRIBUTING.md points there", () => {
    expect(read("CONTRIBUTING.md")).toContain("(docs/maintainers/architecture.md)");
  });

  const steps = page.split("\n").filter((line) => /^\d+\. /.test(line));

  test("has four paths", () => {
    const paths = page
      .split(/^## /m)
      .slice(1)
      .filter((section) => /^1\. /m.test(section));
    expect(paths.map((path) => path.slice(0, path.indexOf("\n")))).toEqual(["One handshake", "One message", "One publish", "One wake"]);
    expect(steps.length).toBeGreaterThan(40);
  });

  test.each(steps)("%s", (step) => {
    const [, shown = "", file = "", names = ""] = /^\d+\. \[([^\]]+)\]\(\.\.\/\.\.\/([^)]+)\) ((?:`[^`]+`(?:, )?)+): /.exec(step) ?? [];
    expect(shown).toBe(file);
    const text = read(file);
    for (const [, name = ""] of names.matchAll(/`([^`]+)`/g))
      for (const part of name.split(".")) expect(text, part).toMatch(declarationOf(part));
  });
});

/** A function, a class, or a member of one at the beginning of its line. */
function declarationOf(name: string): RegExp {
  const member = String.raw`^ {2,4}(?:(?:readonly|static|async|get|set|override|\*) ?)*${name}(?:<[^>]*>)?\([^;]*[{(]$`;
  return new RegExp(String.raw`^(?:export )?(?:async )?(?:function\*?|class|const) ${name}\b|${member}`, "m");
}
