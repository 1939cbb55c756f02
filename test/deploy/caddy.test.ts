import { testProxy } from "./through.ts";

testProxy("Caddy", ["node"]);
