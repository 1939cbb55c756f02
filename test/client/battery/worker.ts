/** The battery inside workerd: a request for each case, whose name it gives. */
import { cases } from "./battery.ts";
import { runCase } from "./kit.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const one = cases.find(({ name }) => name === searchParams.get("case"));
    return new Response(one && (await runCase(one, searchParams.get("server") ?? "", "workerd", {})));
  },
};
