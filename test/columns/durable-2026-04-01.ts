/** A Durable Object at an older compatibility date. */
import { contract } from "../support/contract.ts";

contract("durable 2026-04-01");
