/** The scripts: one for each method of the port. Redis knows them by their hash; one that it does not know is sent as a whole. */
import { builtin } from "./buffer.ts";
import type { Argument } from "./codec.ts";
import type { Commands } from "./connection.ts";
import * as due from "./lua/due.ts";
import * as kept from "./lua/kept.ts";
import { logs, page } from "./lua/logs.ts";
import { join, leave, nodes, own, report } from "./lua/nodes.ts";
import { prelude } from "./lua/prelude.ts";
import { conditions, sessions } from "./lua/sessions.ts";
import { steps, turns } from "./lua/steps.ts";

export class Script {
  readonly #text: string;
  #hash: string | undefined;

  constructor(...parts: readonly string[]) {
    this.#text = parts.join("");
  }

  get hash(): string {
    return (this.#hash ??= sha1(this.#text));
  }

  async run(commands: Commands, key: string, args: readonly Argument[]): Promise<Uint8Array> {
    try {
      return await commands.run(key, ["EVALSHA", this.hash, "1", key, ...args]);
    } catch (error) {
      if (!String((error as Error).message).startsWith("NOSCRIPT")) throw error;
      return commands.run(key, ["EVAL", this.#text, "1", key, ...args]);
    }
  }
}

interface Crypto {
  createHash(name: string): { update(text: string): { digest(encoding: string): string } };
}

function sha1(text: string): string {
  return builtin<Crypto>("node:crypto").createHash("sha1").update(text).digest("hex");
}

/** Of a room: the key is the beginning of its keys. */
export interface RoomScripts {
  readonly join: Script;
  readonly page: Script;
  readonly turns: Script;
  readonly report: Script;
  readonly own: Script;
  readonly leave: Script;
}

export const scripts: RoomScripts = {
  join: new Script(prelude, logs, sessions, nodes, join),
  page: new Script(prelude, logs, page),
  turns: new Script(prelude, logs, sessions, conditions, steps, turns),
  report: new Script(prelude, logs, sessions, nodes, report),
  own: new Script(prelude, sessions, own),
  leave: new Script(prelude, sessions, nodes, leave),
};

type KeptScripts = Readonly<Record<keyof typeof kept, Script>>;

export const keptScripts: KeptScripts = Object.fromEntries(
  Object.entries(kept).map(([name, text]) => [name, new Script(prelude, text)]),
) as KeptScripts;

type DueScripts = Readonly<Record<keyof typeof due, Script>>;

export const dueScripts: DueScripts = Object.fromEntries(Object.entries(due).map(([name, text]) => [name, new Script(text)])) as DueScripts;
