/** README's four-line clients, as they stand in examples/chat/clients. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { denoBinary } from "../support/runtimes.ts";
import { chat, png } from "./chat.ts";
import { root } from "./server.ts";

chat(
  (here) => {
    test("the four-line clients", async () => {
      const { ada, grace, server } = here;
      const address = (name: string): string => `${server.url.replace("http", "ws")}/ws/lobby?name=${name}`;
      const file = (name: string): string => join(root, "examples/chat/clients", name);
      const clients = [
        { says: "Hello from a script", ...run(process.execPath, file("websocket.ts"), address("Node")) },
        { says: "Hello from a script", ...run(join(root, "node_modules/.bin/bun"), file("websocket.ts"), address("Bun")) },
        { says: "Hello from a script", ...run(denoBinary(), "run", "--no-check", "--allow-all", file("websocket.ts"), address("Deno")) },
        { says: "Hello from ws", ...run(process.execPath, file("ws.ts"), address("ws")) },
      ];
      try {
        for (const { says, lines } of clients) {
          const { you } = await lines("welcome");
          expect(you).toMatchObject({ name: expect.stringMatching(/./) });
          await ada.sees(says);
        }
        const inConsole: string[] = [];
        grace.page.on("console", (message) => inConsole.push(message.text()));
        await grace.page.evaluate(await readFile(file("browser.js"), "utf8"));
        await ada.sees("Console", "Hello from the console");
        await ada.seesOnline("Ada", "Grace", "Node", "Bun", "Deno", "ws", "Console");

        await ada.says("Hello to you all");
        for (const { lines } of clients) expect((await lines("said", "Hello to you all")).from).toMatchObject({ name: "Ada" });
        await grace.sees("Ada", "Hello to you all");
        await expect.poll(() => inConsole.join("\n")).toContain("Hello to you all");
        await ada.page.getByLabel("Picture file").setInputFiles({ name: "small.png", mimeType: "image/png", buffer: png });
        await ada.page.getByRole("button", { name: "Send", exact: true }).click();
        for (const { lines } of clients)
          expect(await lines("showed")).toMatchObject({ media: "image/png", data: png.toString("base64"), from: { name: "Ada" } });
      } finally {
        for (const { kill } of clients) await kill();
      }
    });
  },
  { room: "lobby" },
);

/** Runs a client; `lines` waits for the message of this name, with this text, that it prints. */
function run(
  file: string,
  ...args: readonly string[]
): { lines(name: string, text?: string): Promise<Record<string, unknown>>; kill(): Promise<void> } {
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const printed: { name?: string; payload?: Record<string, unknown> }[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stdout).on("line", (line) => {
    if (!line.startsWith("{")) return;
    printed.push(JSON.parse(line) as (typeof printed)[number]);
    for (const check of waiting) check();
  });
  return {
    lines: (name, text) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = printed.find((frame) => frame.name === name && (text === undefined || frame.payload?.["text"] === text));
          if (found?.payload !== undefined && waiting.delete(check)) resolve(found.payload);
        };
        waiting.add(check);
        check();
      }),
    async kill() {
      const exited = once(child, "exit");
      if (child.kill()) await exited;
    },
  };
}
