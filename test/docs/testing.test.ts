/** Runs what the pages on testing show: its tests with Vitest, those of Cloudflare's plugin in workerd, and its page in Chromium. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { executablePath, launch } from "../support/chromium.ts";
import { readPage, root, writePage } from "./pages.ts";

/** What Vitest's reporter `json` writes. */
interface Results {
  readonly success: boolean;
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly object[] }[];
}

const others = ["testing-time", "testing-in-a-page", "testing-on-cloudflare"].map((name) => `docs/guide/${name}.md`);
const page = readPage("docs/guide/testing.md", ...others);
const files = page.blocks.map(({ attributes }) => attributes.get("file") ?? "").filter((file) => file.endsWith(".test.ts"));

beforeAll(() => writePage(page));

test("every test of these pages passes, on Node and in workerd", async () => {
  // Without this runner's own variables.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST.*|NODE_ENV|TEST)$/.test(name)));
  const args = ["run", "--root", page.folder, "--reporter=default", "--reporter=json", "--outputFile.json=results.json"];
  const command = [join(root, "node_modules/vitest/vitest.mjs"), ...args];
  const child = spawn(process.execPath, command, { cwd: page.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const output = (await Promise.all([text(child.stdout), text(child.stderr)])).join("\n");
  const { success, testResults } = JSON.parse(readFileSync(join(page.folder, "results.json"), "utf8")) as Results;
  expect(success, output).toBe(true);
  const ran = testResults.filter(({ assertionResults }) => assertionResults.length > 0).map(({ name }) => name.split("/").at(-1));
  expect(ran.sort()).toEqual(files.sort());
}, 120_000);

test.skipIf(executablePath === "").each([
  ["page.ts", "Ada: 10"],
  ["lamp.tsx", "open: 30"],
])("%s in Chromium", async (file, shown) => {
  const { outputFiles } = await build({
    entryPoints: [join(page.folder, file)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    conditions: ["node"],
  });
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script");
  const browser = await launch();
  try {
    const tab = await browser.newPage();
    const body = `<!doctype html><meta charset="utf-8"><body><script type="module">${script}</script>`;
    await tab.route("https://app.example/", (route) => route.fulfill({ contentType: "text/html", body }));
    await tab.goto("https://app.example/");
    await tab.waitForFunction(`document.body.textContent.includes(${JSON.stringify(shown)})`, undefined, { timeout: 15_000 });
  } finally {
    await browser.close();
  }
});
