/** What the long soak's servers run: rooms, topics with histories, presence, storage, alarms and slow consumers, in bounded names. */
import { defineHandler } from "edgewire";

export const soaked = defineHandler({
  binding: "SOAK",
  maxBuffered: 256 * 1024,
  closeTimeout: 1000,
  // A busy machine must not make a good client late.
  upgradeTimeout: 5000,
  heartbeat: { interval: 5000, timeout: 2000 },
  history: (topic) => (topic === "news" ? { messages: 20 } : topic === "soon gone" ? { messages: 20, seconds: 1 } : undefined),
  upgrade(request) {
    const { pathname, searchParams } = new URL(request.url);
    const answer = { room: pathname.slice(1), state: { who: searchParams.get("who") ?? "", filler: "x".repeat(300) } };
    switch (searchParams.get("upgrade")) {
      case "slow":
        return new Promise<typeof answer>((resolve) => setTimeout(resolve, 50, answer));
      case "never":
        return new Promise<never>(() => {});
      case "refuse":
        return new Response("no\n", { status: 403 });
      case "throw":
        throw new Error("soak: upgrade");
      default:
        return answer;
    }
  },
  open(connection) {
    connection.subscribe("news", { history: true });
    connection.subscribe("soon gone");
    connection.present(String(connection.state).length > 0 ? connection.id.slice(0, 1) : "nobody", { at: Date.now() });
  },
  async message(connection, data) {
    const { room } = connection;
    switch (data) {
      case "publish":
        return void room.publish(["news", "soon gone"], "news ".repeat(20));
      case "count":
        return void connection.send(`count ${room.connections().length}`);
      case "flood":
        for (let count = 0; count < 40; count++) room.publish("news", "x".repeat(16 * 1024));
        return;
      case "store":
        await room.storage.set("count", ((await room.storage.get<number>("count")) ?? 0) + 1);
        return room.setAlarm(Date.now() + 100);
      case "throw":
        throw new Error("soak: message");
      case "wait":
        return new Promise((_, reject) => connection.signal.addEventListener("abort", () => reject(connection.signal.reason as Error)));
      default:
        connection.send(data);
    }
  },
  presence: (room, { joined, left }) => void room.publish("soon gone", JSON.stringify([joined.length, left.length])),
  alarm: (room) => void room.broadcast("alarm"),
  room: { empty: (room) => room.storage.clear() },
  // They are thrown on purpose.
  error: () => {},
});
