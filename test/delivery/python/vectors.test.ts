/** Delivery's part of docs/vectors.json, against the client in Python. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { expectationOf, vectors } from "../vectors.ts";

const python = inject("python");
const toClient = ({ direction }: { readonly direction: string }): boolean => direction === "to client";

function numbered<T extends object>(list: readonly T[]): (T & { readonly index: number })[] {
  return list.map((one, index) => ({ ...one, index }));
}

interface Results {
  readonly frames: readonly unknown[];
  readonly bad: readonly unknown[];
  readonly sessions: readonly (readonly unknown[])[];
}

describe.skipIf(python === "")("the client in Python", () => {
  let results: Results;
  beforeAll(() => {
    const options = { input: JSON.stringify(vectors), encoding: "utf8", timeout: 30_000 } as const;
    const { stdout, stderr, status } = spawnSync(python, ["-B", join(import.meta.dirname, "vectors.py")], options);
    if (status !== 0) throw new Error(`vectors.py: ${stderr}`);
    results = JSON.parse(stdout) as Results;
  });

  test.each(numbered(vectors.frames.filter(toClient)))("frame: $name", ({ index, frame }) => {
    expect(results.frames[index]).toEqual(frame);
  });

  test.each(numbered(vectors.bad.filter(toClient)))("no frame: $name", ({ index }) => {
    expect(results.bad[index]).toBeNull();
  });

  test.each(numbered(vectors.sessions))("session: $name", ({ index, steps }) => {
    expect(results.sessions[index]).toEqual(steps.map(expectationOf));
  });
});
