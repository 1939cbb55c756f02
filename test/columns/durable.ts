/** workerd, as a Durable Object. */
import { contract } from "../support/contract.ts";

contract("durable");
