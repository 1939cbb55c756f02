/** The panel of one client. */
import { find } from "../page/dom.ts";
import { Lines } from "./lines.ts";
import type { ClientKind, ClientName, ClientStatus, Command, LineKind } from "./protocol.ts";

/** How a line begins, for those who don't see its colour. */
const signs: Readonly<Record<LineKind, string>> = { received: "← ", sent: "→ ", event: "", trouble: "! " };

export class ClientPanel {
  readonly #name: ClientName;
  readonly #panel: HTMLElement;
  readonly #lines: Lines;
  readonly #url: HTMLInputElement;
  readonly #kind: HTMLSelectElement;
  readonly #connect: HTMLButtonElement;
  readonly #send: (command: Command) => void;
  #status: ClientStatus = "closed";

  constructor(name: ClientName, send: (command: Command) => void) {
    this.#name = name;
    this.#panel = find(`#${name}`);
    this.#lines = new Lines(find(".lines", this.#panel));
    this.#url = find("[name=url]", this.#panel);
    this.#kind = find("[name=kind]", this.#panel);
    this.#connect = find(".connect button", this.#panel);
    this.#send = send;
    this.#onSubmit(".connect", () => (this.#status === "closed" ? this.connect() : send({ type: "close", client: name })));
    const text = find<HTMLInputElement>("[name=text]", this.#panel);
    this.#onSubmit(".send", () => {
      send({ type: "send", client: name, text: text.value });
      text.value = "";
    });
    this.#onSwitch("cut");
    this.#onSwitch("slow");
  }

  /** Where it connects to. */
  set path(path: string) {
    this.#url.value = path;
  }

  connect(): void {
    const url = `ws://localhost/${this.#url.value.replace(/^\//, "")}`;
    this.#send({ type: "connect", client: this.#name, url, kind: this.#kind.value as ClientKind });
  }

  /** For a new handler: nothing is left of the one before. */
  reset(kind: ClientKind): void {
    this.#kind.value = kind;
    this.#lines.clear();
    this.status("closed");
    for (const one of this.#panel.querySelectorAll(".switch")) one.setAttribute("aria-pressed", "false");
  }

  status(status: ClientStatus): void {
    this.#status = status;
    const shown = find(".status", this.#panel);
    shown.textContent = status;
    shown.dataset["status"] = status;
    this.#connect.textContent = status === "closed" ? "Connect" : "Close";
  }

  line(kind: LineKind, text: string): void {
    this.#lines.add(kind, signs[kind] + text);
  }

  #onSubmit(form: string, act: () => void): void {
    find(form, this.#panel).addEventListener("submit", (event) => {
      event.preventDefault();
      act();
    });
  }

  #onSwitch(type: "cut" | "slow"): void {
    const button = find<HTMLButtonElement>(`.${type}`, this.#panel);
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(isOn));
      this.#send({ type, client: this.#name, isOn });
    });
  }
}
