/** workerd, as a plain Worker and a Durable Object. */
import { runs } from "../case.ts";
import { contract } from "../contract.ts";
import { compatibilityDate } from "../runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["workers", "durable"].includes(column)));
