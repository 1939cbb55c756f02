/** What a handler can import here: Edgewire itself, with `defineHandler` and `serve` that tell of the handler. */
import * as core from "edgewire";
import type { DefinedHandler, Observer } from "edgewire";
import * as client from "edgewire/client";
import * as deliveryClient from "edgewire/delivery/client";
import * as delivery from "edgewire/delivery";
import * as messages from "edgewire/messages";

export type Definition = Parameters<typeof core.defineHandler>[0];

export interface Defined {
  readonly handler: DefinedHandler;
  readonly definition: Definition;
}

/** The handlers of one evaluation. */
export class Modules {
  readonly #defined = new Map<unknown, Definition>();
  readonly #observe: (given: Observer | undefined) => Observer;
  #served: unknown;
  readonly #modules: Readonly<Record<string, object>>;

  /** @param observe adds the playground's observer to the handler's own. */
  constructor(observe: (given: Observer | undefined) => Observer) {
    this.#observe = observe;
    this.#modules = {
      edgewire: { ...core, defineHandler: (...given: readonly Definition[]) => this.#define(given) },
      "edgewire/client": client,
      "edgewire/delivery": delivery,
      "edgewire/delivery/client": deliveryClient,
      "edgewire/messages": messages,
      "edgewire/serve": { serve: (target: unknown) => this.#serve(target) },
    };
  }

  require(name: string): object {
    const found = this.#modules[name];
    if (found === undefined) throw new Error(`the playground has no "${name}": there are ${Object.keys(this.#modules).join(", ")}`);
    return found;
  }

  /** The handler to serve: the one given to `serve`, or exported, or defined last. @throws Error if there is none. */
  chosen(exports: Readonly<Record<string, unknown>>): Defined {
    const candidates = [this.#served, exports["default"], ...Object.values(exports), [...this.#defined.keys()].at(-1)];
    const handler = candidates.find((one) => this.#defined.has(one));
    if (handler === undefined) throw new Error("there is no handler: export default defineHandler({ … })");
    return { handler: handler as DefinedHandler, definition: this.#defined.get(handler) as Definition };
  }

  #define(given: readonly Definition[]): unknown {
    const define = (definition: Definition): DefinedHandler => {
      const isObject = typeof definition === "object" && definition !== null;
      const handler = core.defineHandler(isObject ? { ...definition, observe: this.#observe(definition.observe) } : definition);
      this.#defined.set(handler, definition);
      return handler as unknown as DefinedHandler;
    };
    return given.length === 0 ? define : define(given[0] as Definition);
  }

  #serve(target: unknown): Promise<object> {
    this.#served = target;
    return Promise.resolve({ url: "ws://localhost/", port: 80, close: async () => {} });
  }
}
