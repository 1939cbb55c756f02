/** What is shown: questions in the order of the conversation, each with its answer as far as it is there; below them those that wait to be sent. */
import { make } from "./dom.ts";

export interface ConversationEvents {
  onStop(id: string): void;
  onAgain(id: string, text: string): void;
}

/** As many as the server keeps. */
const most = 40;

/** `waiting`: the server does not have it. `writing`: it is not answered to the end. */
type Fate = "waiting" | "refused" | "writing" | "end" | "cancelled";

interface Exchange {
  readonly element: HTMLLIElement;
  readonly answer: HTMLElement;
  readonly note: HTMLElement;
  readonly stop: HTMLButtonElement;
  readonly again: HTMLButtonElement;
  fate: Fate;
  text: string;
}

const notes: Readonly<Record<Fate, string>> = {
  waiting: "Waiting to be sent",
  refused: "Not sent.",
  writing: "Writing…",
  end: "",
  cancelled: "Stopped",
};

export class Conversation {
  readonly #list: HTMLOListElement;
  readonly #events: ConversationEvents;
  /** By the question's id; those that wait to be sent are the last. */
  readonly #exchanges = new Map<string, Exchange>();

  constructor(list: HTMLOListElement, events: ConversationEvents) {
    this.#list = list;
    this.#events = events;
  }

  /** A question of this page's own is on its way. */
  pending(id: string, prompt: string): void {
    const exchange = this.#exchanges.get(id) ?? this.#make(id, prompt);
    if (exchange.fate !== "refused" && exchange.element.isConnected) return;
    this.#list.append(exchange.element);
    this.#set(exchange, "waiting");
    exchange.element.scrollIntoView({ block: "end" });
  }

  /** The server has the question. Returns whether its answer is wanted. */
  asked(id: string, prompt: string): boolean {
    const exchange = this.#exchanges.get(id) ?? this.#make(id, prompt);
    if (exchange.fate === "end" || exchange.fate === "cancelled") return false;
    const follows = this.#isNearEnd;
    if (exchange.fate !== "writing" || !exchange.element.isConnected) {
      this.#set(exchange, "writing");
      // In its place: above those that wait.
      this.#list.insertBefore(exchange.element, this.#list.querySelector(':scope > [data-fate="waiting"], :scope > [data-fate="refused"]'));
    }
    this.#trim();
    this.#follow(follows);
    return true;
  }

  /** A part of an answer, which stands after so many letters. */
  part(id: string, at: number, text: string): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    const follows = this.#isNearEnd;
    exchange.text = exchange.text.slice(0, at) + text;
    exchange.answer.textContent = exchange.text;
    this.#follow(follows);
  }

  /** Returns whether it was not done before. */
  done(id: string, why: "end" | "cancelled"): boolean {
    const exchange = this.#exchanges.get(id);
    if (exchange?.fate !== "writing") return false;
    // A button that has the focus must not vanish with it.
    if (exchange.stop === document.activeElement) exchange.element.focus();
    this.#set(exchange, why);
    return true;
  }

  refused(id: string, why: string): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    this.#set(exchange, "refused");
    exchange.note.textContent = `${notes.refused} ${why}`;
  }

  /** A part of a topic is no longer kept. */
  gap(topic: string): void {
    const exchange = this.#exchanges.get(topic.replace("answer:", ""));
    if (exchange !== undefined) exchange.note.textContent = "A part of this answer is no longer kept.";
  }

  #make(id: string, prompt: string): Exchange {
    const answer = make("p", { class: "answer", dir: "auto" });
    const note = make("span", { class: "note" });
    const stop = make("button", { type: "button" }, "Stop", make("span", { class: "sr" }, " this answer"));
    const again = make("button", { type: "button" }, "Ask again");
    const element = make(
      "li",
      { tabindex: "-1" },
      make("p", { class: "question", dir: "auto" }, make("span", { class: "sr" }, "Question: "), prompt),
      answer,
      make("p", { class: "fate" }, note, " ", stop, again),
    );
    stop.addEventListener("click", () => this.#events.onStop(id));
    again.addEventListener("click", () => this.#events.onAgain(id, prompt));
    const exchange: Exchange = { element, answer, note, stop, again, fate: "waiting", text: "" };
    this.#exchanges.set(id, exchange);
    return exchange;
  }

  #set(exchange: Exchange, fate: Fate): void {
    exchange.fate = exchange.element.dataset["fate"] = fate;
    exchange.note.textContent = notes[fate];
    exchange.stop.hidden = fate !== "writing";
    exchange.again.hidden = fate !== "refused";
  }

  #trim(): void {
    for (const [id, { element, fate }] of this.#exchanges) {
      if (this.#exchanges.size <= most) return;
      if (fate !== "end" && fate !== "cancelled") continue;
      element.remove();
      this.#exchanges.delete(id);
    }
  }

  /** The reader has not scrolled away from what is being written. */
  get #isNearEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #follow(follows: boolean): void {
    if (follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  get #scroller(): HTMLElement {
    return this.#list.parentElement as HTMLElement;
  }
}
