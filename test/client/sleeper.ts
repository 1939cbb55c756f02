/** A client in a process that a test stops and continues; prints its events. */
import process from "node:process";
import { ReconnectingWebSocket } from "edgewire/client";

const options = { firstDelay: 50, connectTimeout: 500, heartbeat: 400, heartbeatTimeout: 2500 };
const socket = new ReconnectingWebSocket(process.argv[2] ?? "", [], options);
for (const type of ["open", "disconnect", "message"]) socket.addEventListener(type, () => console.log(type));
