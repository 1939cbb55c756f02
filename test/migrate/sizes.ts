/** Prints what each library adds to a bundle, and with `--write` puts the table into docs/migrate/bytes.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { installLocked } from "../../scripts/lockfile.ts";

const folder = import.meta.dirname;
const root = join(folder, "../..");
const page = join(root, "docs/migrate/bytes.md");
const [begin, end] = ["<!-- The table is written by `node test/migrate/sizes.ts --write`. -->", "<!-- End of the table. -->"];

/** What is imported, and from where its packages come. */
type Row = readonly [what: string, code: string, from: string];

const servers: readonly Row[] = [
  ["edgewire on Node", `export * from "edgewire"; export * from "edgewire/node";`, root],
  ["edgewire on Cloudflare, with rooms", `export * from "edgewire"; export * from "edgewire/durable";`, root],
  ["edgewire on Cloudflare, a plain Worker", `export * from "edgewire"; export * from "edgewire/workers";`, root],
  ["crossws on Node", `export { default } from "crossws/adapters/node";`, folder],
  ["crossws on Cloudflare", `export { default } from "crossws/adapters/cloudflare";`, folder],
  [
    "Hono's helper on Cloudflare",
    `export { upgradeWebSocket } from "./node_modules/hono/dist/adapter/cloudflare-workers/websocket.js";`,
    folder,
  ],
  ["partyserver", `export * from "partyserver";`, folder],
  ["Socket.IO on Node", `export { Server } from "socket.io";`, folder],
];

const clients: readonly Row[] = [
  ["edgewire/client", `export * from "edgewire/client";`, root],
  ["edgewire/client and edgewire/messages", `export * from "edgewire/client"; export * from "edgewire/messages";`, root],
  [
    "the same with delivery",
    `export * from "edgewire/client"; export * from "edgewire/messages"; export * from "edgewire/delivery/client";`,
    root,
  ],
  ["partysocket", `export { default } from "partysocket";`, folder],
  ["socket.io-client", `export { io } from "socket.io-client";`, folder],
];

/** Each row's name to its kilobytes, minified and gzipped. */
export async function sizes(): Promise<ReadonlyMap<string, number>> {
  installLocked(folder, "Comparing sizes");
  const of = (rows: readonly Row[], platform: Platform): Promise<[string, number]>[] =>
    rows.map(async (row) => [row[0], await sizeOf(row, platform)] as [string, number]);
  return new Map(await Promise.all([...of(servers, "node"), ...of(clients, "browser")]));
}

/** What the page says. */
export function written(): ReadonlyMap<string, number> {
  const rows = readFileSync(page, "utf8").matchAll(/^\| (.+) \| ([\d.]+) kB \|$/gm);
  return new Map(Array.from(rows, ([, what = "", size]) => [what, Number(size)]));
}

type Platform = "node" | "browser";

async function sizeOf([, contents, resolveDir]: Row, platform: Platform): Promise<number> {
  const onWorkers = /cloudflare|durable|workers/.test(contents);
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform,
    conditions: platform === "browser" ? ["browser"] : onWorkers ? ["workerd"] : [],
    define: { "process.env.NODE_ENV": '"production"' },
    external: ["node:*", "cloudflare:*", "bufferutil", "utf-8-validate", "hono", "hono/*", "@hono/node-server", "uWebSockets.js"],
    logLevel: "error",
  });
  return Math.round(gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length / 100) / 10;
}

function table(found: ReadonlyMap<string, number>): string {
  const part = (title: string, rows: readonly Row[]): readonly string[] => [
    `| **${title}** | |`,
    ...rows.map(([what]) => `| ${what} | ${found.get(what)?.toFixed(1)} kB |`),
  ];
  return ["| | |", "|---|---:|", ...part("server", servers), ...part("page", clients)].join("\n");
}

if (import.meta.main) {
  const printed = table(await sizes());
  console.log(printed);
  if (process.argv.includes("--write")) {
    const text = readFileSync(page, "utf8");
    writeFileSync(page, `${text.slice(0, text.indexOf(begin))}${begin}\n\n${printed}\n\n${text.slice(text.indexOf(end))}`);
  }
}
