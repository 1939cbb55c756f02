/** A Worker's outbound WebSockets: meets the server that its request names. */
import { meet } from "./program.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await meet(new URL(request.url).searchParams.get("url") ?? ""));
  },
};
