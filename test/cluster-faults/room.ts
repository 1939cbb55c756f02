/** What is served while servers and Redis fail. A message is its kind, its client's name and its number: `s3:17`. */
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";

/** What its hook does first: `s` nothing, `a` it waits. What `x` publishes is for the others alone. */
export const kinds = ["s", "a", "x"] as const;

/** Messages of one room, at most: whatever is missing was lost, and not pushed out. */
export const most = 10_000;

export const handler = defineHandler({
  delivery: delivery({ maxInFlight: 8 }),
  history: { all: { messages: most, bytes: 1024 ** 3 } },
  upgrade(request) {
    const { pathname, search } = new URL(request.url);
    return { room: pathname.slice(1), state: { asks: search === "?state" } };
  },
  open(connection) {
    if (connection.state.asks) return;
    connection.subscribe("all", { history: true });
  },
  async message(connection, data) {
    const { id, room, state } = connection;
    if (state.asks) return void connection.send(JSON.stringify(room.history("all").entries.map((entry) => String(entry.data))));
    const text = String(data);
    if (text.startsWith("a")) await new Promise((resolve) => setTimeout(resolve, 2));
    room.publish("all", text, text.startsWith("x") ? { except: id } : {});
    connection.send(`answer ${text}`);
  },
});
