/**
 * docs/maintainers/architecture.svg, drawn from the imports: a row for each layer, and an arrow down to each layer that others import. A number where an
 * arrow crosses a row is how many imports the row has of it. No arrow goes up, because `npm run lint` allows none.
 */
import { readSources } from "./imports.ts";
import { layerOf, layers } from "./layers.ts";
import type { Layer } from "./layers.ts";

interface Size {
  files: number;
  lines: number;
}

/** An arrow down: all imports of one layer. */
interface Arrow {
  readonly to: Layer;
  readonly counts: ReadonlyMap<Layer, number>;
}

/** What stands together. */
interface Band {
  readonly title: string;
  readonly rows: readonly Layer[];
}

const width = 1000;
const margin = 16;
const head = 150;
const row = 29;
const box = { x: 120, width: 250, height: 23 };
const firstArrow = 406;
const gaps = { floor: 3, part: 12 };

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 } .note, .size { font-size: 11px; fill: #59636e } .size { text-anchor: end } .name { font-weight: 600 }
  .band { font-weight: 600; fill: #59636e } .count { font-size: 10px; text-anchor: middle } .target { font-size: 11px }
  .page { fill: #ffffff } .floor { fill: #f3f5f8 } .box { fill: #ffffff; stroke: #c5ccd4 } .lines { fill: #d5ebff }
  .guide { stroke: #c5ccd4; stroke-dasharray: 1 3 } .arrow { stroke: #0969da; fill: none; stroke-width: 1.2 } .head { fill: #0969da }
  .dot { fill: #ffffff; stroke: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note, .size, .band { fill: #9198a1 } .page { fill: #0d1117 } .floor { fill: #171d26 } .box { fill: #0d1117; stroke: #454c56 }
    .lines { fill: #12315c } .guide { stroke: #454c56 } .arrow { stroke: #4493f8 } .head { fill: #4493f8 } .dot { fill: #0d1117; stroke: #4493f8 }
  }`;

/** The picture of the source under `root`. */
export function draw(root: string): string {
  const sizes = new Map(layers.map((layer): [Layer, Size] => [layer, { files: 0, lines: 0 }]));
  const counts = new Map(layers.map((layer) => [layer, new Map<Layer, number>()]));
  for (const [file, { lines, imports }] of readSources(root, ["src", "adapters"])) {
    const layer = layerOf(file);
    const size = layer && sizes.get(layer);
    if (layer === undefined || size === undefined) continue;
    size.files++;
    size.lines += lines;
    for (const { to, isFile } of imports) {
      const target = isFile && to !== undefined ? layerOf(to) : undefined;
      const arrow = target === undefined || target === layer ? undefined : counts.get(target);
      arrow?.set(layer, (arrow.get(layer) ?? 0) + 1);
    }
  }
  const arrows = layers.toReversed().flatMap((to) => (counts.get(to)?.size ? [{ to, counts: counts.get(to) ?? new Map() }] : []));
  return compose(bandsOf(layers.toReversed()), arrows, sizes);
}

/** The core's floors are a band each. */
function bandsOf(down: readonly Layer[]): readonly Band[] {
  const folder = ({ at: [path = ""] }: Layer): string => path;
  const adapters = down.filter((layer) => folder(layer).startsWith("adapters/"));
  const top = down.filter((layer) => /^src\/(?:index|client|messages)/.test(folder(layer)));
  const core = down.filter((layer) => !adapters.includes(layer) && !top.includes(layer));
  return [
    { title: "adapters/", rows: adapters },
    { title: "src/", rows: top },
    ...core.map((layer, index) => ({ title: index === 0 ? "src/, core" : "", rows: [layer] })),
  ];
}

function compose(bands: readonly Band[], arrows: readonly Arrow[], sizes: ReadonlyMap<Layer, Size>): string {
  const back: string[] = [];
  const rows = new Map<Layer, number>();
  let y = head;
  for (const { title, rows: layersOf } of bands) {
    if (rows.size > 0) y += title === "" ? gaps.floor : gaps.part;
    const height = layersOf.length * row;
    back.push(`<rect class="floor" x="${margin}" y="${y}" width="${width - 2 * margin}" height="${height}" rx="4"/>`);
    if (title !== "") back.push(write("band", margin + 10, y + 19, title));
    for (const layer of layersOf) {
      rows.set(layer, y + row / 2);
      y += row;
    }
  }
  const height = y + margin;
  const largest = Math.max(...Array.from(sizes.values(), ({ lines }) => lines));
  const boxes = Array.from(rows, ([layer, middle]) => drawBox(layer.name, middle, sizes.get(layer) ?? { files: 0, lines: 0 }, largest));
  const step = (width - 2 * margin - 20 - firstArrow) / (arrows.length - 1);
  const drawn = arrows.map((arrow, index) => drawArrow(arrow, Math.round(firstArrow + index * step), rows));
  const guides = Array.from(rows, ([layer, middle]) => drawGuide(layer, middle, arrows, step));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">What imports what in Edgewire</title>`,
    `<desc id="description">${describe(arrows)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    write("title", margin, 32, "What imports what"),
    ...note.map((text, index) => write("note", margin, 54 + index * 16, text)),
    ...back,
    ...guides,
    ...drawn,
    ...boxes,
    "</svg>\n",
  ].join("\n");
}

const note = [
  "Each row is a folder, or a part of one. Each arrow goes down",
  "into the row that it is named after. A number on it says how",
  "many imports the number's row has of that one. The shaded",
  "part of a box compares its lines (rounded) with the others'.",
];

function drawBox(name: string, middle: number, { files, lines }: Size, largest: number): string {
  const y = middle - box.height / 2;
  const size = `${files} ${files === 1 ? "file" : "files"}, ${rounded(lines)} lines`;
  const shade = Math.max(Math.round((rounded(lines) / rounded(largest)) * box.width), 3);
  return [
    `<rect class="box" x="${box.x}" y="${y}" width="${box.width}" height="${box.height}" rx="3"/>`,
    `<rect class="lines" x="${box.x + 1}" y="${y + 1}" width="${shade - 2}" height="${box.height - 2}" rx="2"/>`,
    write("name", box.x + 8, middle + 4, name),
    write("size", box.x + box.width - 8, middle + 4, size),
  ].join("\n");
}

/** So that the picture does not change with every line. */
function rounded(lines: number): number {
  return Math.max(Math.round(lines / 50) * 50, 10);
}

/** From a box to its last number. */
function drawGuide(layer: Layer, middle: number, arrows: readonly Arrow[], step: number): string {
  const last = arrows.findLastIndex(({ counts }) => counts.has(layer));
  if (last < 0) return "";
  return `<line class="guide" x1="${box.x + box.width}" x2="${Math.round(firstArrow + last * step)}" y1="${middle}" y2="${middle}"/>`;
}

function drawArrow({ to, counts }: Arrow, x: number, rows: ReadonlyMap<Layer, number>): string {
  const end = rows.get(to) ?? 0;
  const tip = box.x + box.width + 2;
  const crossed = Array.from(counts, ([layer, count]) => ({ y: rows.get(layer) ?? 0, count })).toSorted((one, two) => one.y - two.y);
  return [
    `<line class="guide" x1="${x}" x2="${x}" y1="${head - 6}" y2="${crossed[0]?.y ?? head}"/>`,
    `<path class="arrow" d="M${x} ${crossed[0]?.y ?? head}V${end - 6}q0 6 -6 6H${tip + 6}"/>`,
    `<path class="head" d="M${tip} ${end}l8 -4v8z"/>`,
    `<text class="target" transform="translate(${x + 4} ${head - 12}) rotate(-60)">${to.name}</text>`,
    ...crossed.map(({ y, count }) => `<circle class="dot" cx="${x}" cy="${y}" r="9.5"/>${write("count", x, y + 3.5, String(count))}`),
  ].join("\n");
}

/** The same in words, for who can't see it. */
function describe(arrows: readonly Arrow[]): string {
  return arrows
    .map(({ to, counts }) => `${to.name} is imported by ${Array.from(counts, ([{ name }, count]) => `${name} ${count}`).join(", ")}.`)
    .join(" ");
}

function write(kind: string, x: number, y: number, text: string): string {
  return `<text class="${kind}" x="${x}" y="${y}">${text}</text>`;
}
