import { testProxy } from "./through.ts";

testProxy("Apache", ["node"]);
