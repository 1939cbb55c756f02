/** The table of layers in docs/maintainers/architecture.md. */
import { layers } from "./layers.ts";
import type { Layer } from "./layers.ts";

const [begin, end] = ["<!-- The table is written by `npm run structure`. -->", "<!-- End of the table. -->"];

/** The page with the table of today. @throws Error for a page without a place for it. */
export function withTable(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/maintainers/architecture.md has no ${begin} before ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${table()}\n\n${page.slice(to)}`;
}

function table(): string {
  const rows = layers
    .toReversed()
    .map((layer) => [pathsOf(layer), layer.is, mayOf(layer), `[${fileOf(layer.first)}](../../${layer.first})`]);
  return [["Folder", "What it is for", "What it may import", "Read first"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function pathsOf({ at: [path = "", ...more] }: Layer): string {
  const first = path.endsWith(".ts") ? path : `${path}/`;
  return [`\`${first}\``, ...more.map((one) => `\`${fileOf(one)}\``)].join(", ");
}

/** All floors up to one are a range: "api to rooms". */
function mayOf({ may, packages = [] }: Layer): string {
  const missing = layers.findIndex(({ name }) => !may.includes(name));
  const names = missing > 3 ? [`${may[0]} to ${may[missing - 1]}`, ...may.slice(missing)] : may;
  const outside = packages.map((one) => `\`${one.endsWith(":") ? `${one}*` : one}\``);
  return [...names, ...outside].join(", ") || "nothing";
}

function fileOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
