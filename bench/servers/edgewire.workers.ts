/** Edgewire on a plain Worker. */
import { defineHandler } from "edgewire";
import { worker } from "edgewire/workers";

export default worker(defineHandler({ message: (connection, data) => void connection.send(data) }));
