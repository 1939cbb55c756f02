/** Deno. */
import { contract } from "../support/contract.ts";

contract("deno");
