/**
 * Formats `stats()` for Prometheus, in its text exposition format 0.0.4. Gauges are current values. Counters start at 0 when the server starts, or a
 * room's object wakes; Prometheus's `rate()` handles such resets.
 */
import type { RoomStats, Stats } from "edgewire";

/** Answers with the metrics of a server or a room. Each line carries the labels. */
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
    // A room has no such counter: a refused client never enters a room.
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

/** Formats labels in braces; escapes backslashes, quotes and line feeds in values. */
function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`))}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
