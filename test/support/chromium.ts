/** Real Chromium, of the machine; where there is none, what needs it is skipped (`.ci/run` installs it). */
import { chromium, type Browser } from "playwright-core";
import { inject } from "vitest";

export const executablePath: string = inject("chromium");

/** What Chromium asks for where it is root's. */
export const args: readonly string[] = ["--no-sandbox"];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...args] });
}
