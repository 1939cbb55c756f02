/**
 * Many clients in one process, and little of each. Arguments: port, how many, target. Lines on stdin: `open`, answered with `OPEN <accepted>` when
 * each has its 101 or has lost; `reset`, which resets them all in one turn, answered with `RESET`; `rush`, which opens as many, resets each
 * as soon as its request is written, and is answered with `RUSHED`.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { encodeRequest } from "../wire/http.ts";

const [port, count, target = "/"] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const request = encodeRequest({ target }, `localhost:${port}`);
let sockets: Socket[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "open") console.log(`OPEN ${await open()}`);
  else if (line === "reset") {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets = [];
    console.log("RESET");
  } else if (line === "rush") {
    await Promise.all(Array.from({ length: count }, rush));
    console.log("RUSHED");
  }
}
process.exit();

/** All of them connect before any is answered. */
async function open(): Promise<number> {
  const heads = await Promise.all(Array.from({ length: count }, accepted));
  return heads.filter(Boolean).length;
}

function accepted(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.once("data", (head: Buffer) => resolve(head.subarray(9, 12).toString() === "101"));
    socket.on("data", () => {});
    socket.on("error", () => resolve(false)).on("close", () => resolve(false));
    sockets.push(socket);
  });
}

function rush(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request, () => socket.resetAndDestroy()));
    socket.on("error", () => {}).on("close", () => resolve());
  });
}
