/** Node, on a port of its own, the other half of the cases. */
import { contract } from "../support/contract.ts";

contract("node", 1);
