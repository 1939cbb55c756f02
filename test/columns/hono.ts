/** Node, in a Hono app. */
import { contract } from "../support/contract.ts";

contract("hono");
