/** A Durable Object that is evicted after every event, the other half of the cases. */
import { contract } from "../support/contract.ts";

contract("evicted", 1);
