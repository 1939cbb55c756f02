/** A Durable Object that is evicted after every event. */
import { contract } from "../support/contract.ts";

contract("evicted");
