/** The command's flags, and what it draws. */
import { expect, test } from "vitest";
import { draw, type Chart } from "../../bench/report/chart.ts";
import { keyOf, suite } from "../../bench/report/comparison.ts";
import { UsageError, parse } from "../../bench/measure/options.ts";
import { print } from "../../bench/report/table.ts";

test.each([
  [["--mode", "throughput"], "--mode throughput: must be one of echo, latency, fanout, connect, idle, slow, wake"],
  [["--runtime", "chrome"], "--runtime chrome: must be one of node, bun, deno, workers, durable"],
  [["--type", "json"], "--type json: must be one of text, binary"],
  [["--bytes", "8"], "--bytes 8: must be a whole number from 9"],
  [["--rounds", "many"], "--rounds many: must be a whole number from 1"],
  [["--runtime", "node", "--mode", "wake"], "--mode wake --runtime node: only a Durable Object hibernates"],
  [["--all", "--bytes", "64"], "--bytes: can't be combined with --all, where every comparison has its own"],
  [["--minutes", "3"], "--minutes: needs --all"],
  [["--profile", "--mode", "idle"], "--profile: needs --mode echo, latency, fanout or connect"],
  [["--speed"], "Unknown option '--speed'"],
])("%j is refused with what is right", (args, message) => {
  expect(() => parse(args)).toThrow(UsageError);
  expect(() => parse(args)).toThrow(message);
});

test("one comparison by default, a list by commas, everything with --all", () => {
  expect(parse([]).comparisons.map(keyOf)).toEqual(["node-echo-32-text-64x8"]);
  expect(parse(["--runtime", "bun,deno", "--mode", "echo", "--inflight", "1"]).comparisons.map(keyOf)).toEqual([
    "bun-echo-32-text-64x1",
    "deno-echo-32-text-64x1",
  ]);
  expect(parse(["--all"]).comparisons).toEqual(suite());
  expect(new Set(suite().map(keyOf)).size).toBe(suite().length);
});

test("a generator that used its core up is named", () => {
  const rows = [
    { name: "bare", rate: 1, cpu: 1, load: 0.95 },
    { name: "edgewire", rate: 1, cpu: 1, load: 0.5 },
  ];
  expect(print("echo", rows)).toMatch(/more than 90 % of its core against bare:/);
  expect(print("echo", rows.slice(1))).not.toMatch(/90 %/);
});

const chart: Chart = {
  title: "Echo <&>",
  note: "Longer is better.",
  reference: 1,
  groups: [
    {
      name: "Node",
      bars: [
        { label: "bare", value: 1, text: "1.00", kind: "bare" },
        { label: "edgewire", value: 2.3, low: 2.2, high: 2.5, text: "2.30", kind: "edgewire" },
        { label: "partyserver", value: undefined, text: "– (see the table)", kind: "peer" },
      ],
    },
  ],
};

test("a chart says in words what it shows, and escapes them", () => {
  const svg = draw(chart);
  expect(svg).toContain('<title id="title">Echo &lt;&amp;&gt;</title>');
  expect(svg).toContain("Longer is better. Node: bare 1.00, edgewire 2.30, partyserver – (see the table).</desc>");
  expect(svg).toContain("prefers-color-scheme: dark");
});

test("nothing in a chart lies outside it, and no bar reaches its figure", () => {
  const svg = draw(chart);
  const bars = [...svg.matchAll(/<rect class="(?:bare|edgewire|peer)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)].map(
    ([, x, , width]) => Number(x) + Number(width),
  );
  const spreads = [...svg.matchAll(/class="spread" x1="[\d.]+" x2="([\d.]+)"/g)].map(([, x]) => Number(x));
  expect(bars).toHaveLength(2);
  // Figures end 8 before the right edge; the longest has 17 letters of about 6.
  expect(Math.max(...bars, ...spreads)).toBeLessThan(400 - 8 - 17 * 6);
  const height = Number(/ height="(\d+)"/.exec(svg)?.[1]);
  for (const [, y] of svg.matchAll(/ y="([\d.]+)"/g)) expect(Number(y)).toBeLessThan(height);
});
