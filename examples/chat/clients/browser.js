const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/lobby?name=Console`);
socket.binaryType = "arraybuffer";
socket.onmessage = ({ data }) => console.log(data);
socket.onopen = () => socket.send(JSON.stringify({ type: "message", text: "Hello from the console" }));
