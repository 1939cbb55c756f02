import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Node, and what is written for it (Miniflare, wrangler, the servers that tests start), compiles its files once, not in each of some hundred processes.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, ".tmp/compile-cache");

/** `expect.poll` waits a second if it is not told otherwise, which is nothing on a busy machine. */
const expect = { poll: { timeout: 20_000 } };

/** Most tests wait: for a timeout, a page, a process, or what must not come. So there are more workers than the two processors of most machines. */
const waiting = { maxWorkers: 8, sequence: { groupOrder: 0 }, expect };
/** Memory, descriptors or load are watched: not beside what waits, and two at a time. */
const watching = { maxWorkers: 2, sequence: { groupOrder: 1 }, expect };

/** Unit tests that watch the heap, collect garbage, or change what belongs to the whole process. */
const ownProcess = ["unit/left", "unit/wait-until", "unit/memory/client", "unit/random", "delivery/channel"].map(
  (name) => `test/${name}.test.ts`,
);

/** What takes longest, longest first; what computes (benchmarks, older compilers, the model) beside the columns, which mostly wait. */
const long = [
  "columns/evicted",
  "columns/durable.ts",
  "create/projects",
  "bench/smoke",
  "e2e/assistant.test",
  "types/versions",
  "model/",
  "columns/bun",
  "columns/",
  "e2e/",
  "auth/",
  "messages/resume",
  "delivery/faults",
  "crowd/",
  "fuzz/fuzz",
  "soak/soak",
];

/** What is quick to install. */
const frameworks = ["express", "fastify", "types"];

/** Starts the longest files first, whichever project they are in: the last to end should be short. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ({ project, moduleId }: TestSpecification): number => {
      const rank = long.findIndex((name) => moduleId.includes(`/test/${name}`));
      return project.config.sequence.groupOrder * (long.length + 1) + (rank < 0 ? long.length : rank);
    };
    return (await super.sort(files)).toSorted((a, b) => order(a) - order(b));
  }
}

// Groups of projects run one after the other, files of a group side by side.
export default defineConfig({
  test: {
    globalSetup: "scripts/build.ts",
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["unit", "sqlite", "delivery", "cluster"].map((folder) => `test/${folder}/**/*.test.ts`),
          exclude: ["test/delivery/python/**", "test/delivery/faults/**", ...ownProcess],
          // A process for each file would cost more than most of these tests.
          isolate: false,
          setupFiles: "test/support/fresh-process.ts",
          testTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "process",
          include: ["test/node/**/*.test.ts", "test/deno/**/*.test.ts", ...ownProcess],
          testTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "redis",
          include: ["test/backplane/**/*.test.ts", "test/cluster-faults/**/*.test.ts"],
          globalSetup: "scripts/redis.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "python",
          include: ["test/delivery/python/**/*.test.ts"],
          globalSetup: "scripts/python.ts",
          testTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/delivery/faults/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 150_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "proxies",
          include: ["test/deploy/**/*.test.ts"],
          globalSetup: "scripts/proxies.ts",
          testTimeout: 30_000,
          hookTimeout: 30_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "types",
          include: ["test/types/**/*.test.ts"],
          globalSetup: "scripts/typescript.ts",
          testTimeout: 120_000,
          ...waiting,
        },
      },
      // A case waits for as long as `patience` (test/support/client.ts) for each thing that should come.
      { test: { name: "contract", include: ["test/columns/*.ts"], testTimeout: 120_000, hookTimeout: 60_000, ...waiting } },
      {
        test: {
          name: "model",
          include: ["test/model/**/*.test.ts", "test/awake/**/*.test.ts", "test/faults/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "docs",
          include: ["docs", "hono", "bad", "shutdown", "auth", "migrate"].map((folder) => `test/${folder}/**/*.test.ts`),
          globalSetup: ["scripts/browser.ts", "scripts/redis.ts"],
          testTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "bench",
          include: ["test/bench/**/*.test.ts"],
          globalSetup: "scripts/redis.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "client",
          include: ["test/client/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "messages",
          include: ["test/messages/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 30_000,
          hookTimeout: 30_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "react",
          include: ["test/react/*.test.ts"],
          globalSetup: ["scripts/browser.ts", "scripts/react.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["scripts/browser.ts", "scripts/redis.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...waiting,
        },
      },
      { test: { name: "packaging", include: ["test/packaging/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 180_000, ...waiting } },
      {
        test: {
          name: "create",
          include: ["test/create/**/*.test.ts", "test/walk/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 180_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "site",
          include: ["site/test/**/*.test.ts"],
          globalSetup: ["scripts/browser.ts", "scripts/site.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          ...waiting,
        },
      },
      {
        test: {
          name: "recipes",
          include: ["test/recipes/**/*.test.ts"],
          globalSetup: "scripts/recipes.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...waiting,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: "frameworks",
          // Vite starts several servers, and Next and SvelteKit take minutes to install and to build: npm run campaign:frameworks.
          include:
            process.env["FRAMEWORKS"] === "all"
              ? ["test/frameworks/*.test.ts"]
              : frameworks.map((name) => `test/frameworks/${name}.test.ts`),
          globalSetup: ["scripts/browser.ts", "scripts/frameworks.ts"],
          testTimeout: process.env["FRAMEWORKS"] === "all" ? 300_000 : 60_000,
          hookTimeout: process.env["FRAMEWORKS"] === "all" ? 600_000 : 60_000,
          ...waiting,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/workers/wrangler.toml" } })],
        test: { name: "workers", include: ["test/workers/**/*.test.ts"], testTimeout: 30_000, hookTimeout: 30_000, ...waiting },
      },
      {
        test: {
          name: "cut",
          include: ["test/cut/**/*.test.ts"],
          globalSetup: "scripts/network.ts",
          testTimeout: 60_000,
          ...watching,
        },
      },
      { test: { name: "soak", include: ["test/soak/**/*.test.ts"], testTimeout: 30_000, ...watching } },
      { test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], testTimeout: 30_000, ...watching } },
      { test: { name: "kill", include: ["test/kill/**/*.test.ts"], testTimeout: 30_000, ...watching } },
      { test: { name: "crowd", include: ["test/crowd/**/*.test.ts"], testTimeout: 30_000, ...waiting } },
    ],
  },
});
