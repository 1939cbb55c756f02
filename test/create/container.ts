/** Does what a Dockerfile says, in a folder in place of an image: `docker build` and `docker run` without Docker, whose images have the runtime alone. */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command, Workshop } from "./workshop.ts";

/** Runs its COPY and RUN lines, and returns its CMD. @throws Error for an instruction that it does not know. */
export async function build(workshop: Workshop, project: string, image: string): Promise<Command> {
  mkdirSync(image);
  let entrypoint: string[] = [];
  let env: NodeJS.ProcessEnv = {};
  for (const line of readFileSync(join(project, "Dockerfile"), "utf8").trim().split("\n")) {
    const [instruction, ...words] = line.split(" ");
    if (instruction === "FROM") entrypoint = words[0]?.startsWith("denoland/deno:") ? ["deno"] : [];
    else if (instruction === "ENV") env = { ...env, ...Object.fromEntries(words.map((word) => word.split("="))) };
    else if (instruction === "COPY") copy(project, image, words);
    else if (instruction === "RUN") await workshop.run(image, words as [string, ...string[]], env);
    else if (instruction === "CMD") return [...entrypoint, ...(JSON.parse(words.join(" ")) as string[])] as [string, ...string[]];
    else if (!["WORKDIR", "USER", "EXPOSE"].includes(instruction ?? "")) throw new Error(`what is ${line}?`);
  }
  throw new Error("a Dockerfile without CMD");
}

function copy(project: string, image: string, words: readonly string[]): void {
  const to = words.at(-1) ?? "";
  for (const from of words.slice(0, -1)) {
    cpSync(join(project, from), join(image, to === "./" ? basename(from) : to), { recursive: true });
  }
}
