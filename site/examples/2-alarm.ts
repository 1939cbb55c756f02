// An alarm and scheduled calls
import { defineHandler } from "edgewire";

// Say "remind tea" to be reminded in five seconds; anything else moves the alarm, which says goodbye after ten quiet ones.
export default defineHandler({
  upgrade: () => ({ room: "lobby" }),

  open(connection) {
    connection.subscribe("all");
  },

  message(connection, data) {
    const text = String(data);
    const { room } = connection;
    if (text.startsWith("remind ")) room.schedule(Date.now() + 5_000, "remind", text.slice(7));
    else room.publish("all", text);
    room.setAlarm(Date.now() + 10_000);
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
