/** A chat on any runtime, whose rooms are in Redis. Arguments: the address of Redis. Prints `LISTEN <port>`. */
import process from "node:process";
import { defineHandler } from "edgewire";
import { redis } from "edgewire/redis";
import { serve } from "edgewire/serve";

const [url = ""] = process.argv.slice(2);

const chat = defineHandler({
  history: { chat: { messages: 1000 } },
  upgrade(request) {
    const { pathname, searchParams } = new URL(request.url);
    return { room: pathname.slice(1) || "lobby", state: { name: searchParams.get("name") ?? "" } };
  },
  open(connection) {
    connection.present(connection.state.name);
    connection.subscribe("chat", { history: true });
    connection.subscribe("plain");
  },
  message(connection, data) {
    const { room } = connection;
    if (data === "?")
      return void connection.send(
        `? ${room.count()} ${room
          .presence()
          .map(({ id }) => id)
          .toSorted()
          .join()}`,
      );
    const topic = String(data).startsWith("plain") ? "plain" : "chat";
    try {
      room.publish(topic, data);
    } catch (error) {
      connection.send(`! ${(error as Error).name}`);
    }
  },
});

const backplane = redis(url, { lease: 2000, patience: 1500, counts: 50, timeout: 600 });
const server = await serve(chat, { port: 0, hostname: "127.0.0.1", backplane });
console.log(`LISTEN ${new URL(server.url).port}`);
