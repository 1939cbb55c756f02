/** Bun. */
import { contract } from "../support/contract.ts";

contract("bun");
