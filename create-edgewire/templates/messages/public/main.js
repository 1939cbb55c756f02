import { ReconnectingWebSocket } from "edgewire/client";
import { messageClient } from "edgewire/messages";
import { messages } from "./messages.js";

const params = new URLSearchParams(location.search);
const address = new URL(`/ws/${params.get("room") ?? "lobby"}`, location.href);
address.protocol = address.protocol.replace("http", "ws");
address.searchParams.set("name", params.get("name") ?? `guest ${Math.ceil(Math.random() * 1000)}`);

const socket = new ReconnectingWebSocket(address, messages.protocols);
const client = messageClient(messages, socket);

async function showPeople() {
  const people = await client.request("people");
  document.querySelector("output")?.replaceChildren(`here: ${people.join(", ")}`);
}

socket.addEventListener("status", () => document.querySelector("output")?.replaceChildren(socket.status));
socket.addEventListener("open", showPeople);
client.on("said", ({ from, text }) => {
  const line = document.createElement("li");
  line.textContent = `${from}: ${text}`;
  document.querySelector("ul")?.append(line);
});

const [form] = document.forms;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  client.send("say", { text: String(new FormData(form).get("text")) });
  form.reset();
});
