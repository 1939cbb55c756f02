// A slow reader gets the newest
import { defineHandler } from "edgewire";

// Let Grace read nothing, send some numbers as Ada,
// and let Grace read again: she gets the newest.
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
