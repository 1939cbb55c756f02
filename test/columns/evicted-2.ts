/** A Durable Object that is evicted after every event, the other half of the chapters. */
import { contract } from "../support/contract.ts";

contract("evicted", 1);
