// A chat that keeps everything
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";

// Change something, and press Run. Then try: cut Grace's network, let Ada say something, and bring it back.
// Or hibernate: memory is gone, and nobody notices.
export default defineHandler({
  delivery: delivery(), // a client that was cut off misses nothing
  history: { chat: { messages: 50 } }, // for those who come later

  upgrade(request) {
    const name = new URL(request.url).searchParams.get("name") ?? "someone";
    return { room: "lobby", state: { name, said: 0 } };
  },

  open(connection) {
    connection.present(connection.state.name);
    connection.subscribe("chat", { history: true });
  },

  async message(connection, data) {
    const { room, state } = connection;
    connection.setState({ ...state, said: state.said + 1 });
    room.publish("chat", `${state.name}: ${data}`);
    await room.storage.update<number>("messages", (count = 0) => count + 1);
  },
});
