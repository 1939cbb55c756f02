/** workerd, at the newest compatibility date. */
import { runs } from "../case.ts";
import { contract } from "../contract.ts";
import { compatibilityDate } from "../runtimes.ts";

contract(runs.filter(({ column, date }) => date === compatibilityDate && ["workers", "durable", "evicted"].includes(column)));
