/** The panel of the room: what is in it, drawn anew only where it has changed. */
import { find, make } from "../page/dom.ts";
import { Lines } from "./lines.ts";
import type { Command, ConnectionView, Due, Row, View } from "./protocol.ts";

export class RoomPanel {
  readonly #log = new Lines(find("#log"));
  readonly #name: HTMLSelectElement = find("#room-name");
  readonly #drawn = new Map<string, string>();
  #due: readonly Due[] = [];

  constructor(send: (command: Command) => void) {
    this.#name.addEventListener("change", () => send({ type: "choose", room: this.#name.value }));
    find("#hibernate").addEventListener("click", () => send({ type: "hibernate" }));
    find("#restart").addEventListener("click", () => send({ type: "restart" }));
    // Times to come are told in seconds from now.
    setInterval(() => this.#drawDue(), 500);
  }

  reset(): void {
    this.#log.clear();
    this.show({ rooms: [], room: "lobby", connections: [], topics: [], presence: [], histories: [], values: [], due: [], stats: [] });
  }

  log(kind: string, text: string): void {
    this.#log.add(kind, text);
  }

  show(view: View): void {
    const { rooms, room } = view;
    this.#draw("rooms", [...rooms, room], () => {
      this.#name.replaceChildren(...new Set([room, ...rooms].toSorted()).values().map((one) => make("option", { text: one, value: one })));
      this.#name.value = room;
    });
    this.#part("connections", view.connections, view.connections.map(connection));
    this.#part("topics", view.topics, table(view.topics));
    this.#part("presence", view.presence, table(view.presence));
    this.#part("values", view.values, table(view.values));
    this.#part("stats", view.stats, table(view.stats));
    this.#part("history", view.histories, view.histories.map(history));
    this.#due = view.due;
    this.#drawDue();
  }

  #drawDue(): void {
    const rows = this.#due.map(({ what, time }): Row => [what, untilText(time - Date.now())]);
    this.#part("due", rows, table(rows));
  }

  #part(id: string, data: readonly unknown[], nodes: readonly Node[]): void {
    this.#draw(id, data, () =>
      find(".rows", find(`#${id}`)).replaceChildren(...(nodes.length > 0 ? nodes : [make("p", { class: "none", text: "none" })])),
    );
  }

  #draw(id: string, data: unknown, draw: () => void): void {
    const text = JSON.stringify(data);
    if (this.#drawn.get(id) === text) return;
    this.#drawn.set(id, text);
    draw();
  }
}

function connection({ id, url, state, topics, isAway }: ConnectionView): Node {
  const facts = table([
    ["state", state],
    ["topics", topics.join(", ") || "none"],
  ]);
  const away = isAway ? [make("span", { class: "away", text: "away" })] : [];
  return make(
    "div",
    { class: "connection" },
    make("p", {}, make("code", { text: id.slice(0, 8), title: id }), ` ${url} `, ...away),
    ...facts,
  );
}

function table(rows: readonly Row[]): readonly Node[] {
  if (rows.length === 0) return [];
  return [make("dl", {}, ...rows.map(([name, value]) => make("div", {}, make("dt", { text: name }), make("dd", { text: value }))))];
}

function history({ topic, entries }: View["histories"][number]): Node {
  const items = entries.map((text) => make("li", { text }));
  const list = items.length > 0 ? make("ol", {}, ...items) : make("p", { class: "none", text: "empty" });
  return make("div", { class: "topic" }, make("p", {}, make("code", { text: topic })), list);
}

function untilText(milliseconds: number): string {
  return milliseconds <= 0 ? "now" : `in ${Math.ceil(milliseconds / 1000)} s`;
}
