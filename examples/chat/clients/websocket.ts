const socket = new WebSocket(process.argv[2] ?? "ws://localhost:8787/ws/lobby?name=Script");
socket.binaryType = "arraybuffer";
socket.onmessage = ({ data }) => console.log(data);
socket.onopen = () => socket.send(JSON.stringify({ type: "message", text: "Hello from a script" }));
