import { WebSocket } from "ws";
const socket = new WebSocket(process.argv[2] ?? "ws://localhost:8787/ws/lobby?name=ws");
socket.on("message", (data, isBinary) => console.log(isBinary ? data : String(data)));
socket.on("open", () => socket.send(JSON.stringify({ type: "message", text: "Hello from ws" })));
