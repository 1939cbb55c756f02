/** crossws on Node. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import crossws from "crossws/adapters/node";
import { options } from "./crossws.hooks.ts";

const ws = crossws(options(process.argv[2] ?? "echo"));
const server = createServer();
server.on("upgrade", (request, socket, head) => void ws.handleUpgrade(request, socket, head));
server.listen(0, "127.0.0.1", () => console.log(`LISTEN ${(server.address() as AddressInfo).port}`));
