import { ReconnectingWebSocket } from "edgewire/client";

const params = new URLSearchParams(location.search);
const address = new URL(`/ws/${params.get("room") ?? "lobby"}`, location.href);
address.protocol = address.protocol.replace("http", "ws");
address.searchParams.set("name", params.get("name") ?? `guest ${Math.ceil(Math.random() * 1000)}`);

const socket = new ReconnectingWebSocket(address);
socket.addEventListener("status", () => document.querySelector("output")?.replaceChildren(socket.status));
socket.addEventListener("message", ({ data }) => {
  const line = document.createElement("li");
  line.textContent = data;
  document.querySelector("ul")?.append(line);
});

const [form] = document.forms;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(String(new FormData(form).get("text")));
  form.reset();
});
