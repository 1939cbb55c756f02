/** The handler, served in memory, with its two clients. */
import { memory } from "edgewire/memory";
import type { Memory } from "edgewire/memory";
import type { ClientName, Command, Report } from "../protocol.ts";
import { Client } from "./client.ts";
import { compile, problemOf } from "./compile.ts";
import { Modules } from "./modules.ts";
import type { Definition } from "./modules.ts";
import { printed } from "./show.ts";
import { viewOf } from "./view.ts";
import { Watcher } from "./watcher.ts";

/** Milliseconds from a change until it is shown: what belongs together is shown together. */
const soon = 30;

interface Running {
  readonly server: Memory;
  readonly watcher: Watcher;
  readonly definition: Definition;
}

export class Stage {
  readonly #report: (report: Report) => void;
  readonly #clients: Readonly<Record<ClientName, Client>>;
  #code = "";
  #running: Running | undefined;
  #room = "lobby";
  #shown = "";
  #looking = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(report: (report: Report) => void) {
    this.#report = report;
    this.#clients = { ada: this.#client("ada"), grace: this.#client("grace") };
  }

  async obey(command: Command): Promise<void> {
    try {
      await this.#obey(command);
    } catch (error) {
      this.#report({ type: "problem", problem: problemOf(error) });
    }
    this.#changed();
  }

  async #obey(command: Command): Promise<void> {
    switch (command.type) {
      case "run":
        this.#code = command.code;
        return this.#start();
      case "connect": {
        const { protocols = [] } = this.#running?.definition ?? {};
        return this.#clients[command.client].connect(command.kind, command.url, protocols);
      }
      case "send":
        return this.#clients[command.client].send(command.text);
      case "close":
        return this.#clients[command.client].close();
      case "cut":
        return this.#clients[command.client].cut(command.isOn);
      case "slow":
        return this.#clients[command.client].slow(command.isOn);
      case "hibernate":
        return this.#hibernate();
      case "restart":
        return this.#restart();
      case "choose":
        this.#room = command.room;
        return;
      case "ping":
        return this.#report({ type: "pong" });
    }
  }

  async #start(): Promise<void> {
    const watcher = new Watcher(this.#report, () => this.#changed());
    const modules = new Modules((given) => watcher.observing(given));
    const exports = await compile(this.#code)({
      require: (name) => modules.require(name),
      console: this.#console(),
      process: { env: {}, argv: [], once: () => {}, on: () => {} },
    });
    const { handler, definition } = modules.chosen(exports);
    this.#running = { server: memory(handler), watcher, definition };
    this.#report({ type: "started", hasDelivery: definition.delivery !== undefined });
  }

  async #hibernate(): Promise<void> {
    await this.#running?.server.hibernate();
    this.#log("hibernated: memory is gone, connections and what is kept stay");
  }

  /** As a process that ends and starts again, whose rooms are in memory alone. */
  async #restart(): Promise<void> {
    const before = this.#running?.server;
    // Clients that come back meanwhile reach nothing.
    this.#running = undefined;
    await before?.close({ deadline: 2000 });
    this.#log("stopped: connections are closed, memory is gone");
    await this.#start();
    this.#log("started again");
    for (const client of Object.values(this.#clients)) client.retry();
  }

  #client(name: ClientName): Client {
    return new Client(() => this.#running?.server, {
      status: (status) => this.#tell({ type: "status", client: name, status }),
      line: (kind, text) => this.#tell({ type: "line", client: name, kind, text }),
    });
  }

  #tell(report: Report): void {
    this.#report(report);
    this.#changed();
  }

  #log(text: string): void {
    this.#report({ type: "log", kind: "server", text });
  }

  #console(): object {
    const log = (...values: readonly unknown[]): void => this.#report({ type: "log", kind: "console", text: printed(values) });
    return { ...console, log, info: log, debug: log, warn: log, error: log };
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, soon);
  }

  /** One look at a time: a hook may keep it waiting. */
  async #look(): Promise<void> {
    if (this.#looking) return void (this.#again = true);
    const running = this.#running;
    if (running === undefined) return;
    this.#looking = true;
    try {
      const view = await viewOf(running.server, running.watcher, running.definition, this.#room);
      const text = JSON.stringify(view);
      if (text !== this.#shown) this.#report({ type: "view", view });
      this.#shown = text;
    } catch {
      // The server was closed meanwhile: the next look sees the new one.
    } finally {
      this.#looking = false;
      if (this.#again) this.#changed();
      this.#again = false;
    }
  }
}
