/** Two servers in memory that share a backplane. */
import { contract } from "../support/contract.ts";

contract("memory+cluster");
