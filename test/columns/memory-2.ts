/** In memory, the other half of the cases. */
import { contract } from "../support/contract.ts";

contract("memory", 1);
