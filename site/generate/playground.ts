/** The page of the playground: the frame that client/playground fills, and the list of examples. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runsInPlayground, shared } from "./examples.ts";
import { escape } from "./highlight.ts";
import { layout } from "./layout.ts";
import type { Page, Shelf } from "./pages.ts";

interface Example {
  readonly group: string;
  readonly label: string;
  /** As in the address. */
  readonly hash: string;
}

const folder = join(import.meta.dirname, "../examples");

export function playground(pages: readonly Page[], shelves: readonly Shelf[]): string {
  const examples = [...own(), ...pages.flatMap((page) => [...fromPage(page)])];
  const groups = Map.groupBy(
    examples.map(({ group, label }, index) => ({ group, option: `<option value="${index}">${escape(label)}</option>` })),
    ({ group }) => group,
  );
  const options = Array.from(
    groups,
    ([group, members]) => `<optgroup label="${escape(group)}">${members.map(({ option }) => option).join("")}</optgroup>`,
  );
  const data = JSON.stringify(examples.map(({ hash }) => hash)).replaceAll("<", "\\u003c");
  return layout({
    url: "playground.html",
    title: "Playground",
    description: "Write an Edgewire handler, and try it with two clients, in this page.",
    kind: "playground",
    shelves,
    head: `\n<link rel="stylesheet" href="playground.css">\n<script type="module" src="playground.js"></script>`,
    html: `<div class="stage">
${editor(options.join(""))}
<div class="clients">
${client("ada", "Ada")}
${client("grace", "Grace")}
</div>
${room}
</div>
<script type="application/json" id="examples">${data}</script>
<noscript><p>The playground needs JavaScript.</p></noscript>`,
  });
}

/** A file's first line is a comment, which names it. */
function own(): readonly Example[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      const [first = "", ...rest] = text.split("\n");
      return { group: "To begin with", label: first.replace("// ", ""), hash: shared(rest.join("\n")) };
    });
}

function* fromPage({ text, title }: Page): Generator<Example> {
  for (const [, language = "", info = "", code = ""] of text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)) {
    if (!runsInPlayground(language, code)) continue;
    const attribute = (name: string): string | undefined => new RegExp(`\\b${name}=(\\S+)`).exec(info)?.[1];
    yield { group: title, label: `${title}: ${attribute("file") ?? "example"}`, hash: shared(code, attribute("path")) };
  }
}

function editor(options: string): string {
  return `<section class="pane handler" aria-labelledby="handler-title">
<div class="bar">
<h1 id="handler-title">Playground</h1>
<label class="example"><span>Example</span><select id="example"><option value="">Your own</option>${options}</select></label>
<button type="button" id="share" class="quiet">Share</button>
<button type="button" id="stop" class="quiet" disabled>Stop</button>
<button type="button" id="run" class="strong" aria-keyshortcuts="Control+Enter">Run</button>
</div>
<div id="editor"></div>
<div id="problem" role="alert" hidden></div>
<p class="hint"><span id="state" role="status">Loading…</span><span><kbd>Ctrl</kbd> <kbd>Enter</kbd> runs it</span></p>
</section>`;
}

function client(id: string, name: string): string {
  return `<section class="pane client" id="${id}" aria-labelledby="${id}-name">
<div class="bar"><h2 id="${id}-name">${name}</h2><span class="status" role="status">closed</span></div>
<form class="connect">
<input name="url" aria-label="Address for ${name}" spellcheck="false" autocomplete="off" value="/lobby?name=${name}">
<select name="kind" aria-label="Client of ${name}"><option value="websocket">WebSocket</option><option value="reconnecting">Reconnecting</option><option value="delivery">With delivery</option></select>
<button class="quiet">Connect</button>
</form>
<div class="lines" role="log" aria-label="What ${name} sent and received" tabindex="0"></div>
<form class="send">
<input name="text" aria-label="Message from ${name}" placeholder="Say something as ${name}" autocomplete="off">
<button class="strong">Send</button>
</form>
<div class="switches">
<button type="button" class="switch cut" aria-pressed="false">Cut the network</button>
<button type="button" class="switch slow" aria-pressed="false">Read nothing</button>
</div>
</section>`;
}

const parts = [
  ["connections", "Connections"],
  ["topics", "Topics"],
  ["presence", "Presence"],
  ["values", "Values"],
  ["due", "Alarm and calls"],
  ["stats", "Numbers"],
  ["history", "History"],
] as const;

const room = `<section class="pane room" aria-labelledby="room-title">
<div class="bar">
<h2 id="room-title">Room</h2>
<select id="room-name" aria-label="Which room"><option>lobby</option></select>
<button type="button" id="hibernate" class="quiet">Hibernate</button>
<button type="button" id="restart" class="quiet">Restart</button>
</div>
<div class="parts">
${parts.map(([id, title]) => `<section class="part" id="${id}" aria-labelledby="${id}-title"><h3 id="${id}-title">${title}</h3><div class="rows"></div></section>`).join("\n")}
</div>
<h3 id="log-title">Hooks and console</h3>
<div class="lines" id="log" role="log" aria-labelledby="log-title" tabindex="0"></div>
</section>`;
