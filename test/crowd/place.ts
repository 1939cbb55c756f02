/** A real server of each runtime: for the crowd, and for the long soak. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bunBinary, compatibilityDate, denoBinary, denoFlags } from "../support/runtimes.ts";
import { bundleWorker } from "../support/workerd.ts";

/** Those with `+sqlite` keep their rooms in a file. */
export const places = ["node", "bun", "deno", "durable", "node+sqlite", "bun+sqlite", "deno+sqlite"] as const;
export type PlaceName = (typeof places)[number];

export interface Place {
  readonly port: number;
  /** Drops a room from memory while its clients stay connected, where the runtime can; false when it was asleep already. */
  evict?(room: string): Promise<boolean>;
  /** Ends it, and rejects if it had ended by itself. */
  stop(): Promise<void>;
}

/** What is served. */
export interface Application {
  /** Its folder, with server.ts and object.ts. */
  readonly folder: string;
  /** The name of its Durable Object's class; the binding's is that in capitals. */
  readonly className: string;
}

const crowd: Application = { folder: import.meta.dirname, className: "Crowd" };

export function open(name: PlaceName, application: Application = crowd): Promise<Place> {
  return name === "durable" ? openObjects(application) : openProcess(name, join(application.folder, "server.ts"));
}

async function openProcess(name: Exclude<PlaceName, "durable">, file: string): Promise<Place> {
  const [runtime, inFile] = name.split("+") as ["node" | "bun" | "deno", string?];
  const folder = inFile === undefined ? undefined : mkdtempSync(join(tmpdir(), "edgewire-place-"));
  const command = {
    node: [process.execPath, "--expose-gc", file],
    bun: [bunBinary, "--expose-gc", file],
    deno: [denoBinary(), ...denoFlags, "--v8-flags=--expose-gc", file],
  }[runtime] as [string, ...string[]];
  const env = { ...process.env, ...(folder === undefined ? {} : { ROOMS: join(folder, "rooms.db") }) };
  const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "pipe"], env });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const gone = new Promise<string>((resolve) => child.on("exit", (code, signal) => resolve(`exit code ${code}, signal ${signal}`)));
  const listening = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) =>
      line.startsWith("LISTEN ") ? resolve(Number(line.slice(7))) : undefined,
    );
  });
  const ended = gone.then((how) => {
    throw new Error(`the ${name} process ended (${how}):\n${said.slice(-20).join("\n")}`);
  });
  const port = await Promise.race([listening, ended]);
  ended.catch(() => {});
  return {
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) await ended;
      child.stdin.end();
      child.kill("SIGKILL");
      await gone;
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openObjects({ folder, className }: Application): Promise<Place> {
  const script = await bundleWorker(join(folder, "object.ts"));
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      handleStructuredLogs: ({ message }) => console.log(message),
      workers: [
        {
          name: "place",
          modules: true,
          script,
          compatibilityDate,
          durableObjects: { [className.toUpperCase()]: { className, useSQLite: true } },
          // Miniflare's own port has a proxy in front that changes what a client sees.
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await mf.ready;
  const { port } = await mf.unsafeGetDirectURL("place", "default");
  return {
    port: Number(port),
    async evict(name) {
      try {
        // A Blob among the arguments makes every call asynchronous, one that will be rejected too.
        await mf.unsafeEvictDurableObject("place", className, { name, asynchronous: new Blob() } as { name: string });
        return true;
      } catch {
        // Miniflare's assertion that the object is running.
        return false;
      }
    },
    stop: () => mf.dispose(),
  };
}
