// A slow reader, and only the newest for it
import { defineHandler } from "edgewire";

// Let Grace read nothing, send a few numbers as Ada, and let Grace read again: of what waited she gets the newest alone.
export default defineHandler({
  slowConsumer: "coalesce",
  highWaterMark: 16, // bytes; usually 64 KiB

  upgrade: () => ({ room: "lobby" }),

  open(connection) {
    connection.subscribe("price");
  },

  message(connection, data) {
    connection.room.publish("price", `The price is ${data} now.`);
  },
});
