/** A room in Redis, as one node sees it: the port's methods, each one script. */
import type { Receiver, RoomBackplane } from "../../src/cluster/backplane.ts";
import { randomWord } from "../../src/history/random.ts";
import type { Argument } from "./codec.ts";
import { orRefusal, readBatchAnswer, readChange, readFrame, readJoined, readNotice, readOwn, readPage, readReported } from "./decode.ts";
import { encodeBatch, encodeJoining, encodeOwn, encodePage, encodeReport } from "./encode.ts";
import type { Channels } from "./feed.ts";
import { scripts } from "./script.ts";
import type { Script } from "./script.ts";

/** What a room needs of the backplane. */
export interface RoomLink {
  run(script: Script, args: readonly Argument[]): Promise<Uint8Array>;
  /** Resolves when enough replicas have what was written. */
  replicated(): Promise<void>;
  subscribe(channels: Channels): Promise<void>;
  unsubscribe(channels: Channels): Promise<void>;
}

/** The beginning of a room's keys: its name is the hash tag, so a room is one slot of a cluster. */
export function baseOf(prefix: string, room: string): string {
  const escaped = room.replace(/[%{}]/g, (letter) => encodeURIComponent(letter));
  // An empty tag would be none.
  return `${prefix}{${escaped === "" ? "%" : escaped}}:`;
}

export function roomInRedis(link: RoomLink, base: string, node: string, receiver: Receiver): RoomBackplane {
  const heard: Channels = {
    cut: () => receiver.cut(),
    channels: new Map([
      [`${base}f`, (bytes) => receiver.frame(readFrame(bytes, readChange))],
      [`${base}f:${node}`, (bytes) => receiver.notice(readFrame(bytes, readNotice))],
    ]),
  };
  return {
    subscribe: () => link.subscribe(heard),
    join: async (joining) => orRefusal(await link.run(scripts.join, encodeJoining(node, joining)), readJoined),
    page: async (topic, after, limit) => readPage(await link.run(scripts.page, encodePage(topic, after, limit))),
    async turns(batch) {
      const answer = orRefusal(await link.run(scripts.turns, encodeBatch(batch)), readBatchAnswer);
      if (typeof answer !== "string") await link.replicated();
      return answer;
    },
    report: async (report) => orRefusal(await link.run(scripts.report, encodeReport(node, report, randomWord())), readReported),
    own: async (asked) => readOwn(await link.run(scripts.own, encodeOwn(node, asked))),
    async leave() {
      await Promise.all([link.unsubscribe(heard), link.run(scripts.leave, [node, randomWord()])]);
    },
  };
}
