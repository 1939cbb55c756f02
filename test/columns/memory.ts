/** In memory. */
import { contract } from "../support/contract.ts";

contract("memory");
