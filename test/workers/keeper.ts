/** Objects whose connections have large states: with SQLite, and of the older kind without. */
import { defineHandler } from "edgewire";
import type { Handler } from "edgewire";
import { durable, route } from "edgewire/durable";

export const failures: string[] = [];
export const closed: string[] = [];

/**
 * `n` sets a state of n letters; `read` asks for its length, `keep x` and `kept` for the room's storage, `log n` publishes n messages, `visit t` subscribes to
 * the topic and leaves it, `publish t` publishes to it, `delete t` deletes its history; anything else is echoed.
 */
const keeper = (binding: string): Handler<string> => ({
  binding,
  heartbeat: { interval: 200, timeout: 200 },
  maxState: 256 * 1024,
  history: (topic) => (topic === "log" ? { messages: 100 } : topic.startsWith("brief") ? { seconds: 60 } : {}),
  upgrade(request) {
    const { pathname, searchParams } = new URL(request.url);
    const expires = searchParams.get("expires");
    return {
      ...(expires === null ? {} : { expiresAt: Date.now() + Number(expires) }),
      room: pathname.split("/").at(-1) ?? "",
      state: (searchParams.get("letter") ?? "x").repeat(Number(searchParams.get("letters"))),
    };
  },
  async message(connection, data) {
    const text = String(data);
    if (/^\d+$/.test(text)) connection.setState("x".repeat(Number(text)));
    else if (text.startsWith("log "))
      for (let index = Number(text.slice(4)); index > 0; index--) connection.publish("log", `message ${index}`);
    else if (text.startsWith("visit ")) {
      connection.subscribe(text.slice(6), { history: true });
      connection.unsubscribe(text.slice(6));
    } else if (text.startsWith("publish ")) connection.room.publish(text.slice(8).split(" "), "a message");
    else if (text.startsWith("delete ")) connection.room.deleteHistory(text.slice(7));
    else if (text.startsWith("keep ")) await connection.room.storage.set("kept", text.slice(5));
    const answer = text === "read" ? connection.state.length : text === "kept" ? await connection.room.storage.get("kept") : text;
    connection.send(String(answer));
  },
  close: (_, { code, initiator }) => void closed.push(`${code} ${initiator}`),
  error: (error) => void failures.push(String(error)),
});

const kept = defineHandler(keeper("KEEPER"));
const older = defineHandler(keeper("OLDER"));

export class Keeper extends durable(kept) {
  /** Rows that the room's storage has, by key. */
  rows(): string[] {
    return Array.from((this.ctx as unknown as DurableObjectState).storage.kv.list(), ([key]) => key);
  }

  /** As an application's own code would. */
  put(key: string): void {
    (this.ctx as unknown as DurableObjectState).storage.kv.put(key, "its own");
  }

  /** Bytes of the largest attachment, as far as JSON tells. */
  attachments(): unknown[] {
    return (this.ctx as unknown as DurableObjectState).getWebSockets().map((ws) => ws.deserializeAttachment());
  }
}

export class Older extends durable(older) {}

export const keepers = { keeper: route(kept), older: route(older) };
