import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// Groups of projects run one after the other. Within one, files run side by side where they mostly wait (for a timeout, a page, or
// what must not come), and one at a time where memory or load is watched: the machines have two cores.
export default defineConfig({
  test: {
    globalSetup: "scripts/build.ts",
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/node/**/*.test.ts", "test/deno/**/*.test.ts"],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: "types", include: ["test/types/**/*.test.ts"], testTimeout: 60_000, sequence: { groupOrder: 1 } } },
      {
        test: {
          name: "contract",
          include: ["test/columns/*.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 5,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "model",
          include: ["test/model/**/*.test.ts", "test/awake/**/*.test.ts", "test/faults/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 5,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "cut",
          include: ["test/cut/**/*.test.ts"],
          globalSetup: "scripts/network.ts",
          testTimeout: 60_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: { name: "soak", include: ["test/soak/**/*.test.ts"], maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
      {
        test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], sequence: { groupOrder: 3 } },
      },
      {
        test: {
          name: "docs",
          include: ["docs", "hono", "bad", "shutdown", "auth"].map((folder) => `test/${folder}/**/*.test.ts`),
          globalSetup: "scripts/browser.ts",
          testTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "bench",
          include: ["test/bench/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: { name: "crowd", include: ["test/crowd/**/*.test.ts"], sequence: { groupOrder: 3 } },
      },
      {
        test: {
          name: "client",
          include: ["test/client/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "messages",
          include: ["test/messages/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: 3,
          sequence: { groupOrder: 4 },
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/workers/wrangler.toml" } })],
        test: { name: "workers", include: ["test/workers/**/*.test.ts"], sequence: { groupOrder: 5 } },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 6 },
        },
      },
      {
        test: {
          name: "packaging",
          include: ["test/packaging/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 3,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
