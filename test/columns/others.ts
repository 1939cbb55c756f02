/** Bun, Deno and memory. */
import { runs } from "../support/case.ts";
import { contract } from "../support/contract.ts";
import { compatibilityDate } from "../support/runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["bun", "deno", "memory"].includes(column)));
