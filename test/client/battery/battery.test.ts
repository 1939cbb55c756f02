/** Every behaviour of the client, on every platform: `npx vitest run --project client test/client/battery` prints the table. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { cases } from "./battery.ts";
import { limits } from "./limits.ts";
import { page, platforms, type Outcomes } from "./platforms.ts";
import { BatteryServer } from "./server.ts";

const columns = platforms({ chromium: inject("chromium"), firefox: inject("firefox") });
const names = Object.keys(columns);
const outcomes: Record<string, Outcomes> = {};

/** Platforms that run at the same time: they mostly wait. */
const atOnce = 3;

beforeAll(async () => {
  await using server = await BatteryServer.start(await page());
  const left = [...names];
  const work = async (): Promise<void> => {
    for (let name; (name = left.shift());) {
      outcomes[name] = await columns[name]!(server.address).catch((error) =>
        Object.fromEntries(cases.map((one) => [one.name, String(error)])),
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}, 120_000);
afterAll(() => console.log(table()));

describe.each(names)("%s", (platform) => {
  test.each(cases)("$name", ({ name }) => {
    const limit = limits[name]?.[platform];
    if (limit === undefined) expect(outcomes[platform]?.[name]).toBe("");
    else expect(outcomes[platform]?.[name]).toMatch(limit.shows);
  });
});

test("a limit is of a case and a platform that there are", () => {
  for (const [name, of] of Object.entries(limits)) {
    expect(cases.map((one) => one.name)).toContain(name);
    for (const platform of Object.keys(of)) expect([...names, "chromium", "firefox"]).toContain(platform);
  }
});

/** One line a case: ✓, ✗, or the number of a note. */
function table(): string {
  const notes: string[] = [];
  const cell = (name: string, platform: string): string => {
    const limit = limits[name]?.[platform];
    if (limit === undefined) return outcomes[platform]?.[name] === "" ? "✓" : "✗";
    if (!notes.includes(limit.reason)) notes.push(limit.reason);
    return String(notes.indexOf(limit.reason) + 1);
  };
  const row = (cells: string[]): string => cells.map((text, column) => text.padEnd(names[column]!.length)).join("  ");
  const lines = cases.map(({ name }) => `${row(names.map((platform) => cell(name, platform)))}  ${name}`);
  return [row(names), ...lines, ...notes.map((note, index) => `${index + 1}: ${note}`)].join("\n");
}
