/** In memory, the half of the chapters. */
import { contract } from "../support/contract.ts";

contract("memory", 0);
