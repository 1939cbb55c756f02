/** A history's encoder for typed messages: each carries its position, and each replay begins with a frame that says where it starts. */
import type { HistoryEncoder } from "../../api/history.ts";
import type { Codec } from "../codec.ts";
import type { PositionFrame } from "../frame.ts";

/** What `messages.encode` writes begins so in JSON. */
const beginning = '{"type":"message",';

/** @param codec one that every client can read. */
export function positionedBy(codec: Codec): HistoryEncoder {
  const encode: HistoryEncoder = ({ data, topic, position, time }) => {
    if (typeof data === "string") {
      // The message is not parsed: a publish may go to thousands.
      if (!data.startsWith(beginning)) return data;
      const where = JSON.stringify({ topic, position, time }).slice(1, -1);
      return `${beginning}${where},${data.slice(beginning.length)}`;
    }
    try {
      const frame = codec.decode(data) as { readonly type?: unknown } | null;
      if (frame?.type === "message") return codec.encode({ ...frame, topic, position, time });
    } catch {
      // It is none of ours.
    }
    return data;
  };
  const start = ({ topic, position, gap }: Omit<PositionFrame, "type">): ReturnType<HistoryEncoder> =>
    codec.encode({ type: "position", topic, position, ...(gap === true ? { gap } : {}) } satisfies PositionFrame);
  return Object.assign(encode, { start });
}
