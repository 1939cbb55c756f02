/** What axe-core finds wrong with a page. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A line for each element with a violation of any rule, also of those that are best practice. */
export async function violations(page: Page): Promise<readonly string[]> {
  // What comes into view fades in, and has no contrast yet.
  await page.evaluate(
    "Promise.all(document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1).map((one) => one.finished))",
  );
  // Evaluated by the debugger, which the page's Content-Security-Policy does not keep out.
  await page.evaluate(axe);
  return page.evaluate(`axe.run().then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) => nodes.map((node) => id + ": " + help + ": " + node.html + " " + (node.failureSummary ?? ""))))`);
}
