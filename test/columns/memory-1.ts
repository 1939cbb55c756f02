/** In memory, the half of the cases. */
import { contract } from "../support/contract.ts";

contract("memory", 0);
