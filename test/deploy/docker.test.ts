/** docs/deploy/docker.md: its files are written, and the Dockerfile is carried out in a folder. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pack } from "../../scripts/pack.ts";
import { readPage, root, writePage } from "../docs/pages.ts";
import { commandFor, type Runtime } from "../docs/run.ts";
import { blockOf, deadline, health, talk } from "./kit.ts";
import { freePorts, run } from "./processes.ts";

describe("docker.md", () => {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-image-"));
  const [context, image, data] = ["context", "image", "data"].map((name) => join(folder, name)) as [string, string, string];
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The Dockerfile's instructions. */
  const instructions = blockOf("docker", "Dockerfile")
    .trim()
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1).replaceAll("/data", data)] as const);
  const of = (name: string): string[] => instructions.filter(([one]) => one === name).map(([, rest]) => rest);
  const variables = Object.fromEntries(
    of("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("=", 2) as [string, string])),
  ) as { readonly PORT: string; readonly ROOMS: string };
  const quiet = { npm_config_prefer_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };

  function shell(command: string, cwd: string, more: Readonly<Record<string, string>> = {}): void {
    execFileSync("sh", ["-e", "-c", command], { cwd, env: { ...process.env, ...quiet, ...more }, stdio: "pipe" });
  }

  beforeAll(() => {
    for (const path of [context, image, data]) mkdirSync(path);
    cpSync(pack(), join(folder, "edgewire.tgz"));
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { devDependencies: Record<string, string> };
    // The tarball in place of the published package, and the versions that the other tests have.
    const install = blockOf("docker", "setup.sh").replace(/^npm install (.*)$/m, (_, names: string) => {
      const packages = names.split(" ").map((name) => (name === "edgewire" ? "../edgewire.tgz" : `${name}@${devDependencies[name]}`));
      return `npm install ${packages.join(" ")}`;
    });
    // A lockfile is all that the image takes.
    shell(install, context, { npm_config_package_lock_only: "true" });
    for (const file of ["server.ts", ".dockerignore"]) writeFileSync(join(context, file), blockOf("docker", file));
  }, 60_000);

  test("what it copies exists, its commands work, and its server answers", { timeout: 60_000 }, async () => {
    const ignored = blockOf("docker", ".dockerignore").trim().split("\n");
    for (const [name, rest] of instructions) {
      if (name === "COPY") {
        for (const file of rest.split(" ").slice(0, -1)) {
          expect(ignored).not.toContain(file);
          cpSync(join(context, file), join(image, file));
        }
      }
      // The user is the image's.
      if (name === "RUN") shell(rest.replace(/mkdir (\S+) && chown node:node \S+/, "mkdir -p $1"), image);
    }
    expect(readdirSync(join(image, "node_modules"))).toEqual(expect.arrayContaining(["edgewire", "ws", "hono", "@hono"]));

    const [port = 0] = await freePorts(1);
    const [[command = "", ...args] = []] = of("CMD").map((line) => JSON.parse(line) as string[]);
    expect(command).toBe("node");
    const env = { ...variables, PORT: String(port), HOST: "127.0.0.1" };
    await using running = run(process.execPath, args, { cwd: image, env });
    await running.line(/^listening on/);
    const clients = await talk(port);
    expect([await health(port), await health(port, "/")]).toEqual([200, 404]);
    expect(existsSync(join(data, "rooms.db"))).toBe(true);

    // The health check, with the port that the container would have to itself.
    const check = JSON.parse(/CMD (\[.*\])$/.exec(of("HEALTHCHECK")[0] ?? "")?.[1] ?? "") as string[];
    const checked = (on: number): number | null =>
      spawnSync(
        process.execPath,
        check.slice(1).map((one) => one.replace(`:${variables.PORT}/`, `:${on}/`)),
      ).status;
    expect([check[0], checked(port), checked((await freePorts(1))[0] ?? 0)]).toEqual(["node", 0, 1]);

    const closed = clients.map((client) => once(client, "close"));
    expect(of("STOPSIGNAL")).toEqual(["SIGTERM"]);
    const ended = running.stop();
    for (const one of closed) {
      const [code, reason] = (await one) as [number, Buffer];
      expect([code, String(reason)]).toEqual([1001, "retry in 3000 ms"]);
    }
    expect(await ended).toBe(0);
  });

  test("compose.yaml waits for the close, and has the Dockerfile's port and volume", () => {
    const compose = blockOf("docker", "compose.yaml");
    expect(Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]) * 1000).toBeGreaterThan(deadline);
    expect(compose).toContain(`ports: ["127.0.0.1:3000:${variables.PORT}"]`);
    expect(compose).toContain('volumes: ["rooms:/data"]');
    expect([of("EXPOSE"), of("VOLUME"), variables.ROOMS]).toEqual([[variables.PORT], [data], join(data, "rooms.db")]);
  });

  test.each<Runtime>(["node", "bun", "deno"])("server.ts runs on %s", async (runtime) => {
    const page = readPage("docs/deploy/docker.md");
    const own = { ...page, folder: `${page.folder}-${runtime}` };
    writePage(own);
    const [port = 0] = await freePorts(1);
    const [command, ...args] = commandFor(runtime, join(own.folder, "server.ts"));
    const env = { PORT: String(port), HOST: "127.0.0.1", ROOMS: join(own.folder, "rooms.db") };
    await using running = run(command, args, { cwd: own.folder, env });
    await running.line(/^listening on/);
    const clients = await talk(port);
    expect(await health(port)).toBe(200);
    for (const client of clients) client.terminate();
    expect(await running.stop()).toBe(0);
  });
});
