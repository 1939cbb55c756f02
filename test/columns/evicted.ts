/** A Durable Object that is evicted after every event. */
import { runs } from "../support/case.ts";
import { contract } from "../support/contract.ts";
import { compatibilityDate } from "../support/runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["evicted"].includes(column)));
