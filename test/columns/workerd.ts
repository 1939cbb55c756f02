/** workerd, as a plain Worker and a Durable Object. */
import { runs } from "../support/case.ts";
import { contract } from "../support/contract.ts";
import { compatibilityDate } from "../support/runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["workers", "durable"].includes(column)));
