/** Node: on a port of its own, attached, and in a Hono app. */
import { runs } from "../case.ts";
import { contract } from "../contract.ts";
import { compatibilityDate } from "../runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["node", "attached", "hono"].includes(column)));
