/** Bun, with its rooms in a file: it is killed and started again in between. */
import { contract } from "../support/contract.ts";

contract("bun+sqlite");
