import { testProxy } from "./through.ts";

testProxy("nginx", ["node", "bun", "deno"]);
