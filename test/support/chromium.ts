/** The machine's Chromium. If there is none, the tests that need it are skipped (`.ci/run` installs it). */
import { chromium, type Browser } from "playwright-core";
import { inject } from "vitest";

export const executablePath: string = inject("chromium");

/** Flags that Chromium needs when it runs as root. */
export const args: readonly string[] = ["--no-sandbox"];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...args] });
}
