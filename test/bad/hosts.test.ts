/** What `fetch` is given of a request whose Host, or whose target, is none: a URL that can be read, or nothing, and the client 400. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { dial } from "../support/client.ts";
import { commandFor } from "../docs/run.ts";
import type { Runtime } from "../docs/run.ts";

async function ask(port: number, lines: readonly string[], body = ""): Promise<string> {
  const client = await dial({ port });
  client.write(`${lines.join("\r\n")}\r\nConnection: close\r\n${body === "" ? "" : `Content-Length: ${body.length}\r\n`}\r\n${body}`);
  const { status } = await client.head();
  const answer = status === 200 ? await client.body() : String(status);
  client.destroy();
  return answer;
}

test.each<Runtime>(["node", "bun", "deno"])("requests on %s", async (runtime) => {
  const [command, ...args] = commandFor(runtime, fileURLToPath(new URL("hosts.ts", import.meta.url)));
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    for (const port of JSON.parse(line.slice("listening ".length)) as number[]) {
      expect(await ask(port, ["GET /p?q HTTP/1.1", "Host: a.example"])).toBe("GET http://a.example/p?q ");
      expect(await ask(port, ["GET /p HTTP/1.1", "Host: h"])).toBe("GET http://h/p ");
      expect(await ask(port, ["GET /p/../q HTTP/1.1", "Host: A.Example:80"])).toBe("GET http://a.example/q ");
      expect(await ask(port, ["POST /p/./q HTTP/1.1", "Host: a.example"], "a body")).toBe("POST http://a.example/p/q a body");
      expect(await ask(port, ["GET //b.example/p HTTP/1.1", "Host: a.example"])).toBe("GET http://a.example//b.example/p ");
      expect(await ask(port, ["GET http://b.example/p HTTP/1.1", "Host: a.example"])).toBe("GET http://a.example/p ");
      expect(await ask(port, ["GET /p HTTP/1.1", "Host: [::1]:8080"])).toBe("GET http://[::1]:8080/p ");
      expect(await ask(port, ["GET /p HTTP/1.1", "Host: 127.1"])).toBe("GET http://127.0.0.1/p ");
      // A health check over HTTP/1.0 names no host. Deno puts its own address there.
      const nowhere = /^GET http:\/\/localhost(:\d+)?\/p $/;
      expect(await ask(port, ["GET /p HTTP/1.0"])).toMatch(nowhere);
      expect(await ask(port, ["GET /p HTTP/1.1", "Host:"])).toMatch(nowhere);
      for (const host of ["a b", "a/admin?", "a#", "a@b", "a:99999", "[::1", "256.0.0.1", "*"]) {
        expect(await ask(port, ["GET /p HTTP/1.1", `Host: ${host}`]), host).toBe("400");
      }
      expect(await ask(port, ["GET /p HTTP/1.1", "Host: a.example", "Host: b.example"])).toBe("400");
    }
  } finally {
    child.kill("SIGKILL");
  }
});
