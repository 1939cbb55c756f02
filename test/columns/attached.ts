/** Node, attached to the application's own server. */
import { contract } from "../support/contract.ts";

contract("attached");
