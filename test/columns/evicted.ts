/** A Durable Object that is evicted after every event. */
import { runs } from "../case.ts";
import { contract } from "../contract.ts";
import { compatibilityDate } from "../runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["evicted"].includes(column)));
