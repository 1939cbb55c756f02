/** A Durable Object that is evicted after every event, the half of the cases. */
import { contract } from "../support/contract.ts";

contract("evicted", 0);
