/** The playground: the editor, the sandbox that runs what is in it, and the panels that show what happens there. */
import { find, make } from "../page/dom.ts";
import { ClientPanel } from "./client-panel.ts";
import { Editor } from "./editor.ts";
import type { ClientName, Command, Problem, Report } from "./protocol.ts";
import { RoomPanel } from "./room-panel.ts";
import { Sandbox } from "./sandbox.ts";
import { pack, unpack } from "./share.ts";

const names = { ada: "Ada", grace: "Grace" } as const satisfies Record<ClientName, string>;
const usualPath = "/lobby";

class Playground {
  readonly #editor: Editor;
  readonly #clients: Readonly<Record<ClientName, ClientPanel>>;
  readonly #room: RoomPanel;
  readonly #stop: HTMLButtonElement = find("#stop");
  readonly #example: HTMLSelectElement = find("#example");
  readonly #examples = JSON.parse(find("#examples").textContent) as readonly string[];
  #sandbox: Sandbox | undefined;
  #path: string | undefined;
  /** The address that this page has written itself. */
  #written = "";

  constructor() {
    const send = (command: Command): void => this.#sandbox?.send(command);
    this.#editor = new Editor(find("#editor"), { run: () => void this.run(), changed: () => (this.#example.value = "") });
    this.#clients = { ada: new ClientPanel("ada", send), grace: new ClientPanel("grace", send) };
    this.#room = new RoomPanel(send);
    find("#run").addEventListener("click", () => void this.run());
    this.#stop.addEventListener("click", () => this.#end("Stopped."));
    find("#share").addEventListener("click", () => void this.#share());
    this.#example.addEventListener("change", () => void this.#open(this.#examples[Number(this.#example.value)] ?? ""));
    addEventListener("hashchange", () => location.hash !== this.#written && void this.#open(location.hash));
  }

  /** What the address names, or the first example. */
  async start(): Promise<void> {
    if (!(await this.#open(location.hash))) await this.#open(this.#examples[0] ?? "");
  }

  async run(): Promise<void> {
    this.#sandbox?.stop();
    this.#tell("Starting…");
    this.#clearProblem();
    this.#room.reset();
    const { code } = this.#editor;
    const sandbox: Sandbox = (this.#sandbox = new Sandbox({
      report: (report) => sandbox === this.#sandbox && this.#report(report, code),
      hung: () => sandbox === this.#sandbox && this.#hung(),
    }));
    this.#stop.disabled = false;
    await this.#write(code);
  }

  async #open(hash: string): Promise<boolean> {
    const shared = await unpack(hash);
    if (shared === undefined) return false;
    this.#editor.code = shared.code;
    this.#path = shared.path;
    const index = this.#examples.indexOf(hash.replace(/^#/, ""));
    this.#example.value = index < 0 ? "" : String(index);
    const path = shared.path ?? usualPath;
    for (const name of Object.keys(names) as ClientName[]) this.#clients[name].path = pathFor(path, names[name]);
    await this.run();
    return true;
  }

  /** So that a reload, and whoever gets the address, has what runs. */
  async #write(code: string): Promise<void> {
    this.#written = `#${await pack(code, this.#path)}`;
    history.replaceState(null, "", this.#written);
  }

  async #share(): Promise<void> {
    await this.#write(this.#editor.code);
    const copied = navigator.clipboard.writeText(location.href);
    this.#tell(await copied.then(() => "The link is copied.").catch(() => "Copy the page's address: it holds the handler."));
  }

  #report(report: Report, code: string): void {
    switch (report.type) {
      case "ready":
        return this.#sandbox?.send({ type: "run", code });
      case "started":
        return this.#started(report.hasDelivery);
      case "problem":
        return this.#problem(report.problem);
      case "status":
        return this.#clients[report.client].status(report.status);
      case "line":
        return this.#clients[report.client].line(report.kind, report.text);
      case "log":
        return this.#room.log(report.kind, report.text);
      case "view":
        return this.#room.show(report.view);
    }
  }

  #started(hasDelivery: boolean): void {
    this.#tell("Running.");
    // After a restart the clients are there already.
    if (this.#connected === this.#sandbox) return;
    this.#connected = this.#sandbox;
    for (const client of Object.values(this.#clients)) {
      client.reset(hasDelivery ? "delivery" : "websocket");
      client.connect();
    }
  }

  #connected: Sandbox | undefined;

  #hung(): void {
    this.#end("Stopped.");
    this.#problem({ message: "The handler did not answer for five seconds, and was stopped: is there an endless loop?", isSyntax: false });
  }

  #end(why: string): void {
    this.#sandbox?.stop();
    this.#sandbox = undefined;
    this.#stop.disabled = true;
    for (const client of Object.values(this.#clients)) client.status("closed");
    this.#tell(why);
  }

  #problem(problem: Problem): void {
    const place = problem.line === undefined && problem.isSyntax ? this.#editor.firstMistake() : problem;
    const box = find("#problem");
    const { line, column = 1 } = place ?? {};
    box.replaceChildren(...explained(line === undefined ? problem.message : `Line ${line}: ${problem.message}`));
    box.hidden = false;
    if (line !== undefined) this.#editor.mark(line, column, problem.message);
    if (problem.isSyntax) this.#end("Not running.");
  }

  #clearProblem(): void {
    find("#problem").hidden = true;
    this.#editor.clearMarks();
  }

  #tell(text: string): void {
    find("#state").textContent = text;
  }
}

/** The message, whose code leads to its cause and cure. */
function explained(message: string): readonly (Node | string)[] {
  const link = (code: string): Node => make("a", { href: `reference/errors.html#${code.toLowerCase()}`, text: code });
  return message.split(/\[(EW\d+)\]/).map((part, at) => (at % 2 === 1 ? link(part) : part));
}

/** The path with the client's name. */
function pathFor(path: string, name: string): string {
  const url = new URL(path, "ws://localhost");
  url.searchParams.set("name", name);
  return url.pathname + url.search;
}

void new Playground().start();
