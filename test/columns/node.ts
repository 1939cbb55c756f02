/** Node: on a port of its own, attached, and in a Hono app. */
import { runs } from "../support/case.ts";
import { contract } from "../support/contract.ts";
import { compatibilityDate } from "../support/runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["node", "attached", "hono"].includes(column)));
