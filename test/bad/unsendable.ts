/** Pages that can't be sent, under `serve`, and a process that has to go on. Runs on Node, Bun and Deno. */
import { connect } from "node:net";
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";
import { unsendable, type Unsendable } from "../support/unsendable.ts";

const kinds: readonly Unsendable[] = ["error", "used", "header"];
/** It only looks like a Response. */
const lookalike = (fields: object): object => ({
  status: 200,
  statusText: "",
  body: null,
  bodyUsed: false,
  arrayBuffer: () => {},
  ...fields,
});
const others: Record<string, () => unknown> = {
  lookalike: () => lookalike({ headers: new Headers() }),
  "being read": () => {
    const response = new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    response.body?.getReader();
    return response;
  },
  "without headers": () => lookalike({ headers: null }),
  nothing: () => undefined,
  text: () => "text",
  throws: () => JSON.parse("secret"),
  rejects: () => Promise.reject(new Error("secret")),
};

function page(pathname: string): unknown {
  const [, how, kind = ""] = pathname.split("/");
  if (how === "fine") return new Response("fine");
  if (how === "other") return others[decodeURIComponent(kind)]!();
  const response = unsendable(decodeURIComponent(kind) as Unsendable, "secret");
  return how === "later" ? Promise.resolve(response) : response;
}

const { port } = await serve(defineHandler({}), { hostname: "127.0.0.1", fetch: ({ url }) => page(new URL(url).pathname) as Response });
for (const path of [
  ...kinds.flatMap((kind) => [`now/${kind}`, `later/${kind}`]),
  ...Object.keys(others).map((name) => `other/${name}`),
  "fine",
]) {
  const answer = await fetch(`http://127.0.0.1:${port}/${path}`).then(
    async (response) => `${response.status} ${await response.text()}`,
    (error: { code?: string }) => String(error.code),
  );
  console.log(JSON.stringify({ path, answer }));
}
// A request for another protocol is an ordinary one; Deno has another way for it.
for (const path of ["other/being%20read", "fine"]) console.log(JSON.stringify({ path: `upgrade/${path}`, answer: await askUpgrade(path) }));
process.exit(0);

function askUpgrade(path: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`GET /${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n`);
    });
    socket.setTimeout(5000, () => socket.destroy());
    socket.on("data", (data: Uint8Array) => {
      answer += new TextDecoder().decode(data);
      if (/\r\n\r\n[^]*(fine|\n)$/.test(answer)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer.replace(/^HTTP\/1\.1 (\d+)[^]*?\r\n\r\n/, "$1 ")));
  });
}
