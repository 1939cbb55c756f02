/** workerd, at older compatibility dates. */
import { runs } from "../case.ts";
import { contract } from "../contract.ts";
import { compatibilityDate } from "../runtimes.ts";

contract(runs.filter(({ date }) => date !== compatibilityDate));
