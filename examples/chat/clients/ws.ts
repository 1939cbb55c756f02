import { WebSocket } from "ws";
const socket = new WebSocket(process.argv[2] ?? "ws://localhost:8787/ws/lobby?name=ws");
socket.on("message", (data) => console.log(String(data)));
socket.on("open", () => socket.send(JSON.stringify({ type: "request", id: 1, name: "say", payload: { text: "Hello from ws" } })));
