/** The scripts: one for each method of the port. Redis knows them by their hash; one that does not is sent the script itself. */
import { builtin } from "./buffer.ts";
import type { Argument } from "./codec.ts";
import type { Commands } from "./connection.ts";
import { logs, page } from "./lua/logs.ts";
import { join, leave, nodes, own, report } from "./lua/nodes.ts";
import { prelude } from "./lua/prelude.ts";
import { conditions, sessions } from "./lua/sessions.ts";
import { steps, turns } from "./lua/steps.ts";

export class Script {
  readonly #text: string;
  #hash: string | undefined;

  constructor(...parts: readonly string[]) {
    this.#text = [prelude, ...parts].join("");
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

export const scripts: Readonly<Record<"join" | "page" | "turns" | "report" | "own" | "leave", Script>> = {
  join: new Script(logs, sessions, nodes, join),
  page: new Script(logs, page),
  turns: new Script(logs, sessions, conditions, steps, turns),
  report: new Script(logs, sessions, nodes, report),
  own: new Script(sessions, own),
  leave: new Script(sessions, nodes, leave),
};
