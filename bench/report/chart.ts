/** Horizontal bar charts as SVG, readable in light and dark mode and on a phone, with the figures as text for screen readers. */
export interface Bar {
  readonly label: string;
  /** Undefined if there is no value: `text` says why. */
  readonly value: number | undefined;
  /** The quartiles. */
  readonly low?: number;
  readonly high?: number;
  readonly text: string;
  readonly kind: "edgewire" | "bare" | "peer";
}

export interface Chart {
  readonly title: string;
  /** What the bars show, and whether longer is better. */
  readonly note: string;
  readonly groups: readonly { readonly name: string; readonly bars: readonly Bar[] }[];
  /** The value of bare, drawn as a line through all groups. */
  readonly reference?: number;
}

/** Width of the chart: about that of a phone's page, so that its text is not scaled down. */
const width = 400;
const margin = 8;
const line = { title: 17, note: 15, group: 26, bar: 17 };
/** Average width of a letter. Text can't be measured here, so the estimate is generous. */
const letter = { label: 6.7, value: 6.1 };

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 13px; font-weight: 600 } .note { font-size: 11px; fill: #59636e } .group { font-weight: 600 } .value { font-size: 11px; text-anchor: end }
  .page { fill: #ffffff } .edgewire { fill: #0969da } .bare { fill: #818b98 } .peer { fill: #d1d9e0 }
  .spread { stroke: #1f2328; stroke-width: 1.2 } .reference { stroke: #818b98; stroke-dasharray: 2 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .note { fill: #9198a1 } .page { fill: #0d1117 } .edgewire { fill: #4493f8 } .bare { fill: #7d8590 } .peer { fill: #3d444d }
    .spread { stroke: #f0f6fc } .reference { stroke: #7d8590 }
  }`;

export function draw({ title, note, groups, reference }: Chart): string {
  const bars = groups.flatMap((group) => group.bars);
  const start = margin + letter.label * Math.max(...bars.map((bar) => bar.label.length)) + 6;
  const longest = width - margin - start - 10 - letter.value * Math.max(...bars.map((bar) => bar.text.length));
  const most = Math.max(reference ?? 0, ...bars.map(({ value = 0, high = 0 }) => Math.max(value, high)), Number.MIN_VALUE);
  const x = (value: number): number => round(start + (Math.max(value, 0) / most) * longest);
  const titles = wrap(title, (width - 2 * margin) / 7.2);
  const notes = wrap(note, (width - 2 * margin) / 5.7);
  const out: string[] = [];
  let y = margin;
  for (const text of titles) out.push(write("title", margin, (y += line.title), text));
  for (const text of notes) out.push(write("note", margin, (y += line.note), text));
  for (const group of groups) {
    out.push(write("group", margin, (y += line.group), group.name));
    y += 6;
    const top = y;
    for (const bar of group.bars) {
      out.push(...drawBar(bar, y, start, x));
      y += line.bar;
    }
    if (reference !== undefined) out.push(`<line class="reference" x1="${x(reference)}" x2="${x(reference)}" y1="${top - 2}" y2="${y}"/>`);
  }
  const height = y + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(title)}</title>`,
    `<desc id="description">${escape(`${note} ${describe(groups)}`)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...out,
    "</svg>\n",
  ].join("\n");
}

/** All figures as text: the description of the chart. */
export function describe(groups: Chart["groups"]): string {
  return groups.map(({ name, bars }) => `${name}: ${bars.map((bar) => `${bar.label} ${bar.text}`).join(", ")}.`).join(" ");
}

function drawBar(bar: Bar, y: number, start: number, x: (value: number) => number): readonly string[] {
  const middle = y + 6.5;
  return [
    write("label", margin, y + 11, bar.label),
    ...(bar.value === undefined
      ? []
      : [
          `<rect class="${bar.kind}" x="${round(start)}" y="${y}" width="${round(Math.max(x(bar.value) - start, 1))}" height="13" rx="2"/>`,
        ]),
    ...(bar.low === undefined || bar.high === undefined || x(bar.high) - x(bar.low) < 2
      ? []
      : [`<line class="spread" x1="${x(bar.low)}" x2="${x(bar.high)}" y1="${middle}" y2="${middle}"/>`]),
    write("value", width - margin, y + 10.5, bar.text),
  ];
}

function write(kind: string, x: number, y: number, text: string): string {
  return `<text class="${kind}" x="${x}" y="${y}">${escape(text)}</text>`;
}

/** Wraps text, because SVG does not. */
function wrap(text: string, letters: number): readonly string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.length - 1;
    if (lines[last] !== "" && lines[last]!.length + 1 + word.length > letters) lines.push(word);
    else lines[last] = lines[last] === "" ? word : `${lines[last]} ${word}`;
  }
  return lines;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
