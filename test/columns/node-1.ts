/** Node, on a port of its own, the half of the cases. */
import { contract } from "../support/contract.ts";

contract("node", 0);
