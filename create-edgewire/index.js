#!/usr/bin/env node
/** `npm create edgewire`: reads the command line, asks for what it leaves open, and writes the project. */
import process from "node:process";
import { help, parse } from "./src/arguments.js";
import { ask } from "./src/ask.js";
import { compose } from "./src/compose.js";
import { create } from "./src/create.js";
import { nextSteps } from "./src/next.js";
import { Refusal } from "./src/refusal.js";

try {
  const given = parse(process.argv.slice(2));
  if (given.help) console.log(help);
  else {
    const project = await ask(given, process.stdin, process.stdout);
    create(project, compose(project));
    console.log(nextSteps(project));
  }
} catch (error) {
  // A Refusal, or an error of the system (no permission, no space), is the user's to correct. Of anything else the stack is of use.
  const known = error instanceof Refusal || (error instanceof Error && "syscall" in error);
  console.error(known ? `create-edgewire: ${error.message}` : error);
  process.exitCode = 1;
}
