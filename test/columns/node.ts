/** Node, on a port of its own. */
import { contract } from "../support/contract.ts";

contract("node");
