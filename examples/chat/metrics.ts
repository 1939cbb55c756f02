/**
 * What Prometheus reads: its text exposition format 0.0.4, from `stats()`. Gauges are what is true now, counters go up from when
 * the server was started, or a room's object woke: Prometheus's `rate()` takes a fall to 0 for that.
 */
import type { RoomStats, Stats } from "edgewire";

/** Answers with the numbers of a server, or with a room's: what the labels say, each line says. */
export function metrics(stats: RoomStats & Partial<Stats>, labels: Labels = {}): Response {
  return new Response(exposition(stats, labels), {
    headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store" },
  });
}

type Labels = Readonly<Record<string, string>>;

function exposition(stats: RoomStats & Partial<Stats>, labels: Labels): string {
  const { received, sent, dropped } = stats;
  const metric = (name: string, type: "gauge" | "counter", help: string, ...samples: [number, Labels?][]): string =>
    [
      `# HELP edgewire_${name} ${help}`,
      `# TYPE edgewire_${name} ${type}`,
      ...samples.map(([value, more]) => `edgewire_${name}${braces({ ...labels, ...more })} ${value}`),
      "",
    ].join("\n");
  const each = (counts: Readonly<Record<string, number>>, label: string): [number, Labels][] =>
    Object.entries(counts).map(([key, count]) => [count, { [label]: key }]);
  return [
    metric("connections_open", "gauge", "Connections that are open.", [stats.open]),
    metric("connections_opened_total", "counter", "Connections that were opened.", [stats.opened]),
    metric("connections_closed_total", "counter", "Connections that have ended, by close code.", ...each(stats.closed, "code")),
    // A room's own numbers have none: a refused client never came to a room.
    stats.refused === undefined
      ? ""
      : metric("handshakes_refused_total", "counter", "Handshakes that were refused, by cause.", ...each(stats.refused, "cause")),
    metric("messages_total", "counter", "Messages.", ...each({ received: received.messages, sent: sent.messages }, "direction")),
    metric(
      "message_size_total",
      "counter",
      "Bytes; of text UTF-16 units.",
      ...each({ received: received.bytes, sent: sent.bytes }, "direction"),
    ),
    metric("messages_dropped_total", "counter", "Messages that were dropped.", ...each({ ...dropped }, "direction")),
    metric("buffered_bytes", "gauge", "Bytes that wait to be sent.", [stats.buffered]),
    metric("queued_messages", "gauge", "Messages that wait for a hook.", [stats.queued]),
    metric("hook_errors_total", "counter", "Hooks that threw or rejected.", [stats.hookErrors]),
  ].join("");
}

/** Labels in braces; a value's backslash, quote and line feed are escaped. */
function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`))}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
