/** `tsc -b` rejects a global of another runtime wherever it is used: shown on a copy in which every part misuses some. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { append, copySources, errorsOf } from "./copy.ts";

/** What no file of a part may use. */
const foreign: Record<string, readonly string[]> = {
  "src/server/server.ts": ["Deno", "Bun", "process", "Buffer", "WebSocketPair", "window"],
  "src/client/socket.ts": ["Deno", "Bun", "process", "Buffer", "document", "window"],
  "adapters/bun/index.ts": ["Deno", "WebSocketPair", "document"],
  "adapters/deno/index.ts": ["Bun", "WebSocketPair", "Buffer"],
  "adapters/node/index.ts": ["Bun", "Deno", "WebSocketPair"],
  "adapters/workers/index.ts": ["Deno", "Bun", "process", "Buffer"],
  "adapters/durable/index.ts": ["Deno", "Bun", "process", "Buffer"],
  "adapters/shared/serve.ts": ["Deno", "Bun", "process", "WebSocketPair"],
  "adapters/hono/index.ts": ["Deno", "Bun", "process", "WebSocketPair"],
  "adapters/memory/index.ts": ["Deno", "Bun", "process", "WebSocketPair"],
};
const cases = Object.entries(foreign).flatMap(([file, names]) => names.map((name) => ({ file, name })));

let errors: string[] = [];

beforeAll(() => {
  const copy = copySources("misuse");
  for (const [file, names] of Object.entries(foreign)) {
    const uses = names.map((name) => `void ${name};`);
    append(join(copy, file), uses);
  }
  errors = errorsOf(copy, "-b", ...globSync("adapters/**/tsconfig.json", { cwd: copy }));
}, 60_000);

function isAbout({ file, name }: { file: string; name: string }, error: string): boolean {
  return error.startsWith(`${file}(`) && error.includes(`Cannot find name '${name}'`);
}

test.for(cases)("$file: $name is unknown", (one) => {
  expect(errors.filter((error) => isAbout(one, error))).toHaveLength(1);
});

test("and nothing else is wrong", () => {
  expect(errors.filter((error) => !cases.some((one) => isAbout(one, error)))).toEqual([]);
});
