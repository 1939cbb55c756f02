/** A room whose clients say what to do. Its log outlives the object: tests run in the same isolate, and eviction keeps module memory. */
import { defineHandler } from "edgewire";
import { durable, route } from "edgewire/durable";

export const log: string[] = [];

const handler = defineHandler({
  binding: "ROOM",
  upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1), state: { heard: 0 } }),
  open(connection) {
    log.push(`open ${connection.room}`);
    connection.subscribe("everyone");
  },
  message(connection, data) {
    connection.setState({ heard: connection.state.heard + 1 });
    const [verb, rest = ""] = String(data).split(/ (.*)/);
    if (verb === "say") connection.publish("everyone", rest);
    else if (verb === "leave") connection.unsubscribe("everyone");
    else if (verb === "dismiss") connection.close(4000, rest);
    else connection.send(JSON.stringify({ id: connection.id, state: connection.state, topics: [...connection.topics] }));
  },
  close(connection, { code, reason, initiator }) {
    log.push(`close ${connection.room} ${code} ${reason} ${initiator} after ${connection.state.heard}`);
  },
});

/** Instances are told apart by their number. */
let instances = 0;

export class TestRoom extends durable(handler) {
  readonly instance: number = ++instances;
}

export default route(handler);
