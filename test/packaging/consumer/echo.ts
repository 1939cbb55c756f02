import { defineHandler } from "edgewire";

export const echo = defineHandler({
  binding: "ECHO",
  upgrade: () => ({ room: "echo" }),
  message(connection, data) {
    connection.send(data);
  },
});
