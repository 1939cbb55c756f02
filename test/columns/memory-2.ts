/** In memory, the other half of the chapters. */
import { contract } from "../support/contract.ts";

contract("memory", 1);
