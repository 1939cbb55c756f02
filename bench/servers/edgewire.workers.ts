/** Edgewire on a plain Worker. */
import { defineHandler } from "edgewire";
import { worker } from "edgewire/workers";

export default worker(
  defineHandler({ rate: { messages: 10_000_000, bytes: 2 ** 32 }, message: (connection, data) => void connection.send(data) }),
);
