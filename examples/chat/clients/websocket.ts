const socket = new WebSocket(process.argv[2] ?? "ws://localhost:8787/ws/lobby?name=Script");
socket.onmessage = ({ data }) => console.log(data);
socket.onopen = () => socket.send(JSON.stringify({ type: "request", id: 1, name: "say", payload: { text: "Hello from a script" } }));
