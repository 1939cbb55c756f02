const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/lobby?name=Console`);
socket.onmessage = ({ data }) => console.log(data);
socket.onopen = () => socket.send(JSON.stringify({ type: "request", id: 1, name: "say", payload: { text: "Hello from the console" } }));
