import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// Projects run in this order, never side by side: the machines have two cores, and real processes want them.
export default defineConfig({
  test: {
    globalSetup: "scripts/build.ts",
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/node/**/*.test.ts"],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: "types", include: ["test/types/**/*.test.ts"], testTimeout: 60_000, sequence: { groupOrder: 1 } } },
      {
        // Three files side by side: a case mostly waits, for a timeout or for what must not come.
        test: {
          name: "contract",
          include: ["test/columns/*.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "model",
          include: ["test/model/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: { name: "soak", include: ["test/soak/**/*.test.ts"], sequence: { groupOrder: 4 } },
      },
      {
        test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], sequence: { groupOrder: 4 } },
      },
      {
        test: {
          name: "docs",
          include: ["docs", "hono", "bad", "shutdown", "auth"].map((folder) => `test/${folder}/**/*.test.ts`),
          globalSetup: "scripts/browser.ts",
          testTimeout: 60_000,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: { name: "crowd", include: ["test/crowd/**/*.test.ts"], sequence: { groupOrder: 4 } },
      },
      {
        test: {
          name: "client",
          include: ["test/client/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 6 },
        },
      },
      {
        test: {
          name: "messages",
          include: ["test/messages/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 7 },
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./test/workers/wrangler.toml" } })],
        test: { name: "workers", include: ["test/workers/**/*.test.ts"], sequence: { groupOrder: 8 } },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "scripts/browser.ts",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 9 },
        },
      },
      {
        test: {
          name: "packaging",
          include: ["test/packaging/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 10 },
        },
      },
    ],
  },
});
