// An alarm and scheduled calls
import { defineHandler } from "edgewire";

// "remind tea" reminds everyone in five seconds.
// The alarm runs when nobody spoke for ten.
export default defineHandler({
  upgrade: () => ({ room: "lobby" }),

  open(connection) {
    connection.subscribe("all");
  },

  message(connection, data) {
    const text = String(data);
    const { room } = connection;
    const now = Date.now();
    if (text.startsWith("remind ")) {
      room.schedule(now + 5_000, "remind", text.slice(7));
    } else {
      room.publish("all", text);
    }
    room.setAlarm(now + 10_000);
  },

  alarm(room) {
    room.publish("all", "It is quiet here.");
  },

  calls: {
    remind(room, what: string) {
      room.publish("all", `Time for ${what}!`);
    },
  },
});
