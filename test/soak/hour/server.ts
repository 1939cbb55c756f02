/** The long soak's server on Node, Bun and Deno. */
import { serve } from "edgewire/serve";
import { endWithParent } from "../../serve/end.ts";
import { heap } from "../../serve/heap.ts";
import { soaked } from "./handler.ts";

const fetch = async (request: Request): Promise<Response> => {
  if (new URL(request.url).pathname === "/heap") return heap();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return new Response("slow\n");
};
const server = await serve(soaked, { hostname: "127.0.0.1", fetch });
endWithParent();
console.log(`LISTEN ${server.port}`);
