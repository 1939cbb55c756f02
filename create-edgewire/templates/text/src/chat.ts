import { defineHandler } from "edgewire";

export const chat = defineHandler({
  binding: "ROOM", //: cloudflare
  upgrade(request) {
    const { pathname, searchParams } = new URL(request.url);
    const room = /^\/ws\/([\w-]{1,40})$/.exec(pathname)?.[1];
    if (room === undefined) return new Response("No such room", { status: 404 });
    return { room, state: { name: searchParams.get("name")?.slice(0, 40) || "someone" } };
  },
  open(connection) {
    connection.subscribe("chat");
  },
  async message(connection, data) {
    await connection.room.publish("chat", `${connection.state.name}: ${data}`); // to everyone in the room
  },
});
