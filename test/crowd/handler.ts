/** What the crowd's servers run: each message is an order, answered when it is done. Runs on every runtime. */
import { defineHandler, type Connection, type Handler, type Rooms } from "edgewire";

/** `[number, what, …arguments]`; the answer is `["done", number, result]`. */
export type Order =
  | readonly [number, "subscribe" | "unsubscribe", topic: string]
  | readonly [number, "publish", topics: readonly string[], payload: string]
  | readonly [number, "present", member: string, state: unknown]
  | readonly [number, "absent"]
  | readonly [number, "watch"]
  | readonly [number, "sync"];

const hooks: Handler = {
  binding: "CROWD",
  upgrade: (request) => ({ room: new URL(request.url).searchParams.get("room") ?? "" }),
  message(connection, data) {
    const [number, ...order] = JSON.parse(String(data)) as Order;
    const result = obey(connection, order) ?? 0;
    connection.send(JSON.stringify(["done", number, result]));
  },
  presence: (room, diff) => void room.publish(presenceTopic, JSON.stringify(["diff", diff])),
};

export const crowd = defineHandler(hooks);

/** Every message is kept: with rooms in a file each publish waits for its commit. */
export const keepingCrowd = defineHandler({ ...hooks, history: () => ({ messages: 20 }) });

const presenceTopic = "who is here";

type Rest<T> = T extends readonly [number, ...infer More] ? More : never;

function obey(connection: Connection, order: Rest<Order>): unknown {
  switch (order[0]) {
    case "subscribe":
      return connection.subscribe(order[1]);
    case "unsubscribe":
      return connection.unsubscribe(order[1]);
    case "publish":
      return connection.publish(order[1].length === 1 ? order[1][0]! : order[1], order[2]);
    case "present":
      return connection.present(order[1], order[2]);
    case "absent":
      return connection.absent();
    case "watch":
      connection.subscribe(presenceTopic);
      return connection.room.presence();
    case "sync":
      return undefined;
  }
}

/** The rooms from outside: `/publish?room=…&topic=…&topic=…` with the payload as body, and `/count?room=…`. */
export async function outside(request: Request, rooms: Rooms): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const room = rooms.room(searchParams.get("room") ?? "");
  return Response.json(
    pathname === "/publish" ? await room.publish(searchParams.getAll("topic"), await request.text()) : await room.count(),
  );
}
