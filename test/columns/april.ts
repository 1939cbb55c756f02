/** workerd at the compatibility date 2026-04-01. */
import { runs } from "../support/case.ts";
import { contract } from "../support/contract.ts";

contract(runs.filter(({ date }) => date === "2026-04-01"));
