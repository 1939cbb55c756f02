/** The recipes for authentication as they stand in the guide: who is let in, who is refused, who is closed. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readPage, writePage } from "../docs/pages.ts";
import { start, startWorker } from "../docs/run.ts";
import type { Runtime, Server } from "../docs/run.ts";
import { ask, attempt, closing } from "./attempt.ts";
import { jwt, unsigned } from "./jwt.ts";

const recipes = ["cookie", "ticket", "token"].map((name) => `docs/guide/authentication-${name}.md`);
const page = readPage("docs/guide/authentication.md", ...recipes);
const at = (file: string): string => join(page.folder, file);
const runtimes = ["node", "bun", "deno"] as const satisfies Runtime[];
const key = "the server's own key, which nobody else has";

beforeAll(() => {
  const listening = "console.log(`listening on ${server.url}`);\n";
  const chat = 'import { chat } from "./token.ts";\n';
  const app = `import { Hono } from "hono";\nimport { upgrade } from "edgewire/hono";\n${chat}export const app = new Hono().get("/", upgrade(chat));\n`;
  writePage(page, {
    "token-serve.ts": `import { serve } from "edgewire/serve";\n${chat}const server = await serve(chat);\n${listening}`,
    "token-worker.ts": `import { worker } from "edgewire/workers";\n${chat}export default worker(chat);\n`,
    "token-app.ts": app,
    "token-hono.ts": `import { serve } from "edgewire/serve";\nimport { app } from "./token-app.ts";\nconst server = await serve({ fetch: app.fetch });\n${listening}`,
    "token-hono-worker.ts": `import { app } from "./token-app.ts";\nexport default app;\n`,
  });
});

describe.each(runtimes)("a session cookie on %s", (runtime) => {
  const serve = (seconds: Record<string, string> = {}): Promise<Server> =>
    start(runtime, at("cookie.ts"), 0, { env: { PASSWORD: "open sesame", ...seconds } });

  async function login({ port }: Server, password = "open sesame"): Promise<{ status: number; cookie: string }> {
    const body = JSON.stringify({ user: "Ada", password });
    const response = await fetch(`http://127.0.0.1:${port}/login`, { method: "POST", body });
    return { status: response.status, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
  }

  test("lets in who is logged in, from this origin, and nobody else", async () => {
    await using server = await serve();
    expect(await login(server, "open barley")).toEqual({ status: 403, cookie: "" });
    const { cookie } = await login(server);
    const own = { cookie: `theme=dark; ${cookie}`, origin: `http://127.0.0.1:${server.port}` };
    const { status, socket } = await attempt(server.port, "/", { headers: own });
    expect([status, await ask(socket, "hello")]).toEqual([101, "Ada: hello"]);
    const wrong: Record<string, string>[] = [{}, { cookie: "session=" }, { cookie: cookie.slice(0, -1) }, { cookie: `x${cookie}` }];
    for (const headers of wrong) expect((await attempt(server.port, "/", { headers })).status).toBe(401);
    expect((await attempt(server.port, "/", { headers: { cookie, origin: "https://attacker.example" } })).status).toBe(403);
    socket.terminate();
  });

  test("a renewal looks at the session again: it goes on, or ends with the logout", async () => {
    await using server = await serve();
    const { cookie } = await login(server);
    const { socket } = await attempt(server.port, "/", { headers: { cookie } });
    expect(await ask(socket, "renew")).toBe("renewed");
    await fetch(`http://127.0.0.1:${server.port}/logout`, { method: "POST", headers: { cookie } });
    expect(await ask(socket, "still here")).toBe("Ada: still here");
    const closed = closing(socket);
    socket.send("renew");
    expect(await closed).toBe("3000 Logged out");
    expect((await attempt(server.port, "/", { headers: { cookie } })).status).toBe(401);
  });

  test("is renewed for as long as the session lasts", async () => {
    await using server = await serve({ CONNECTION_SECONDS: "3" });
    const { cookie } = await login(server);
    const [{ socket }, { socket: forgetful }] = await Promise.all([
      attempt(server.port, "/", { headers: { cookie } }),
      attempt(server.port, "/", { headers: { cookie } }),
    ]);
    const renewing = setInterval(() => socket.send("renew"), 300);
    expect(await closing(forgetful)).toBe("3000 Credential expired");
    clearInterval(renewing);
    expect(socket.readyState).toBe(socket.OPEN);
    socket.terminate();
  });

  test("ends with the session", async () => {
    await using server = await serve({ SESSION_SECONDS: "3" });
    const { cookie } = await login(server);
    const { socket } = await attempt(server.port, "/", { headers: { cookie } });
    expect(await closing(socket)).toBe("3000 Credential expired");
    expect((await attempt(server.port, "/", { headers: { cookie } })).status).toBe(401);
  });
});

describe.each(runtimes)("a ticket on %s", (runtime) => {
  const serve = (seconds: string): Promise<Server> =>
    start(runtime, at("ticket.ts"), 0, { env: { API_TOKEN: "t0ken", TICKET_SECONDS: seconds } });

  const fetchTicket = async ({ port }: Server, authorization = "Bearer t0ken"): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/ticket`, { method: "POST", headers: { authorization } });
  const redeem = async ({ port }: Server, ticket: string): Promise<number> => {
    const { status, socket } = await attempt(port, `/?ticket=${ticket}`);
    socket.terminate();
    return status;
  };

  test("lets in once, and only with all of it", async () => {
    await using server = await serve("30");
    const issued = await fetchTicket(server);
    expect(issued.headers.get("cache-control")).toBe("no-store");
    const ticket = await issued.text();
    const { socket } = await attempt(server.port, `/?ticket=${ticket}`);
    expect(await ask(socket, "hello")).toBe("Ada: hello");
    expect(await redeem(server, ticket)).toBe(401);
    // Not open for a second connection, and the first goes on.
    expect(await ask(socket, "again")).toBe("Ada: again");
    socket.terminate();

    expect((await fetchTicket(server, "Bearer T0ken")).status).toBe(403);
    for (const wrong of ["", "x", ".", "undefined.undefined"]) expect(await redeem(server, wrong)).toBe(401);
    expect((await attempt(server.port, "/")).status).toBe(401);
    const guessed = await (await fetchTicket(server)).text();
    expect(await redeem(server, guessed.split(".")[0]!)).toBe(401);
    // One guess: the right one comes too late.
    expect(await redeem(server, guessed)).toBe(401);
  });

  test("of two who come with the same one at the same time, one is let in", async () => {
    await using server = await serve("30");
    const ticket = await (await fetchTicket(server)).text();
    expect((await Promise.all([redeem(server, ticket), redeem(server, ticket)])).toSorted()).toEqual([101, 401]);
  });

  test("is good for a short time", async () => {
    await using server = await serve("0.2");
    const ticket = await (await fetchTicket(server)).text();
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await redeem(server, ticket)).toBe(401);
  });
});

const columns: { readonly name: string; start(secret?: string): Promise<Server> }[] = [
  ...runtimes.flatMap((runtime) =>
    ["token-serve.ts", "token-hono.ts"].map((file) => ({
      name: file === "token-hono.ts" ? `Hono on ${runtime}` : runtime,
      start: (secret = key): Promise<Server> => start(runtime, at(file), 0, { env: { TOKEN_KEY: secret }, log: () => {} }),
    })),
  ),
  ...["token-worker.ts", "token-hono-worker.ts"].map((file) => ({
    name: file === "token-hono-worker.ts" ? "Hono on workerd" : "workerd",
    start: (secret = key): Promise<Server> => startWorker(at(file), {}, { bindings: { TOKEN_KEY: secret }, log: () => {} }),
  })),
];

describe.each(columns)("a token in a subprotocol on $name", (column) => {
  const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

  test("lets in with a valid one, which is never echoed", async () => {
    await using server = await column.start();
    const exp = inAnHour();
    const good = jwt({ sub: "Ada", exp }, key);
    for (const protocols of [
      ["chat", `token.${good}`],
      [`token.${good}`, "chat"],
    ]) {
      const { headers, socket } = await attempt(server.port, "/", { protocols });
      expect(headers["sec-websocket-protocol"]).toBe("chat");
      expect(JSON.stringify(headers)).not.toContain(good.split(".")[2]);
      expect(await ask(socket, "hello")).toBe("Ada: hello");
      socket.terminate();
    }
    const wrong = {
      none: ["chat"],
      "of another key": ["chat", `token.${jwt({ sub: "Ada", exp }, "another key")}`],
      "with another's name": ["chat", `token.${swapBody(good, { sub: "Grace", exp })}`],
      expired: ["chat", `token.${jwt({ sub: "Ada", exp: Math.floor(Date.now() / 1000) - 1 }, key)}`],
      unsigned: ["chat", `token.${unsigned({ sub: "Ada", exp })}`],
      "without an end": ["chat", `token.${jwt({ sub: "Ada" }, key)}`],
      "no JWT": ["chat", "token.x"],
    };
    for (const [what, protocols] of Object.entries(wrong)) {
      expect((await attempt(server.port, "/", { protocols })).status, what).toBe(401);
    }
    expect((await attempt(server.port, "/", { protocols: [`token.${good}`] })).status).toBe(400);
  });

  test("lets nobody in where its key was never set", async () => {
    await using server = await column.start("");
    const forged = jwt({ sub: "Ada", exp: inAnHour() }, "");
    expect((await attempt(server.port, "/", { protocols: ["chat", `token.${forged}`] })).status).toBe(500);
  });

  test("ends with it, unless renewed by a message with the next one, of the same user", async () => {
    await using server = await column.start();
    const exp = Math.floor(Date.now() / 1000) + 3;
    const protocols = ["chat", `token.${jwt({ sub: "Ada", exp }, key)}`];
    const [{ socket }, { socket: forgetful }] = await Promise.all([
      attempt(server.port, "/", { protocols }),
      attempt(server.port, "/", { protocols }),
    ]);
    const expired = closing(forgetful);
    expect(await ask(socket, `renew ${jwt({ sub: "Ada", exp: inAnHour() }, key)}`)).toBe("renewed");
    expect(await expired).toBe("3000 Credential expired");
    // The first one's end is past, and so is its sweep: that closes whoever is due.
    expect(await ask(socket, "still here")).toBe("Ada: still here");
    const closed = closing(socket);
    socket.send(`renew ${jwt({ sub: "Grace", exp: inAnHour() }, key)}`);
    expect(await closed).toBe("3000 Not a valid token of yours");
  });
});

function swapBody(token: string, claims: unknown): string {
  const [head, , signature] = token.split(".");
  return [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}
