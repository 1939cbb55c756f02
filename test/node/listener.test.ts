import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { handshake } from "../support/client.ts";

test("a listener that throws while a socket is read, in a process that goes on, keeps nobody from what is sent", async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("listener.ts", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(/LISTEN (\d+)/.exec(String(line))?.[1]);
    const quiet = await handshake({ port }, { target: "/" });
    const interrupted = await handshake({ port }, { target: "/throws" });
    for (let round = 0; round < 2; round++) {
      interrupted.send("read this");
      expect(await quiet.next()).toEqual({ type: "text", data: "still here" });
    }
  } finally {
    child.kill();
  }
});
