// A chat that keeps everything
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";

// Cut Grace's network, say something as Ada,
// and bring it back: Grace has missed nothing.
// Hibernate: memory is gone, and nobody notices.
export default defineHandler({
  delivery: delivery(), // who is cut off misses nothing
  history: { chat: { messages: 50 } },

  upgrade(request) {
    const { searchParams } = new URL(request.url);
    const name = searchParams.get("name") ?? "someone";
    return { room: "lobby", state: { name, said: 0 } };
  },

  open(connection) {
    connection.present(connection.state.name);
    connection.subscribe("chat", { history: true });
  },

  async message(connection, data) {
    const { room, state } = connection;
    const said = state.said + 1;
    connection.setState({ ...state, said });
    room.publish("chat", `${state.name}: ${data}`);
    await room.storage.update<number>("all", (n = 0) => n + 1);
  },
});
