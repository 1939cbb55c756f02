/** What the crowd's servers run: each message is an order, answered when it is done. Runs on every runtime. */
import { defineHandler, type Rooms } from "edgewire";

/** `[number, what, …arguments]`; the answer is `["done", number, result]`. */
export type Order =
  | readonly [number, "subscribe" | "unsubscribe", topic: string]
  | readonly [number, "publish", topics: readonly string[], payload: string]
  | readonly [number, "sync"];

export const crowd = defineHandler({
  binding: "CROWD",
  upgrade: (request) => ({ room: new URL(request.url).searchParams.get("room") ?? "" }),
  message(connection, data) {
    const [number, what, first, payload] = JSON.parse(String(data)) as Order;
    let result = 0;
    if (what === "subscribe") connection.subscribe(first);
    else if (what === "unsubscribe") connection.unsubscribe(first);
    else if (what === "publish") result = connection.publish(first.length === 1 ? first[0]! : first, payload);
    connection.send(JSON.stringify(["done", number, result]));
  },
});

/** The rooms from outside: `/publish?room=…&topic=…&topic=…` with the payload as body, and `/count?room=…`. */
export async function outside(request: Request, rooms: Rooms): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const room = rooms.room(searchParams.get("room") ?? "");
  return Response.json(
    pathname === "/publish" ? await room.publish(searchParams.getAll("topic"), await request.text()) : await room.count(),
  );
}
