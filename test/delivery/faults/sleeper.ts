/** A client in a process that a test stops and continues; prints what it is told, a JSON array a line. */
import process from "node:process";
import { DeliverySocket } from "edgewire/delivery/client";

const options = { firstDelay: 20, connectTimeout: 1000, heartbeat: 400, heartbeatTimeout: 1000 };
const socket = new DeliverySocket(process.argv[2] ?? "", [], options);
for (const type of ["open", "gap", "uncertain", "interrupted", "error", "close"] as const)
  socket.addEventListener(type, () => console.log(JSON.stringify([type])));
socket.addEventListener("message", ({ data }) => console.log(JSON.stringify(["message", data])));
// What was said before it slept arrives once, too.
socket.send("good night");
