/** Bun, Deno and memory. */
import { runs } from "../case.ts";
import { contract } from "../contract.ts";
import { compatibilityDate } from "../runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["bun", "deno", "memory"].includes(column)));
