/** workerd, as a plain Worker. */
import { contract } from "../support/contract.ts";

contract("workers");
