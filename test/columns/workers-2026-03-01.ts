/** A plain Worker at an older compatibility date. */
import { contract } from "../support/contract.ts";

contract("workers 2026-03-01");
