/** What servers tell each other: a channel for each, and one for all. */
import type { Mailbox } from "../../src/cluster/mail.ts";
import type { Channels, Feed } from "./feed.ts";

/** @param channelOf a server's; that of "" is everyone's. */
export function mailboxInRedis(
  feed: Feed,
  publish: (channel: string, text: string) => Promise<void>,
  channelOf: (server: string) => string,
  server: string,
  heard: (text: string) => void,
): Mailbox {
  const everyone = channelOf("");
  const read = (bytes: Uint8Array): void => heard(decoder.decode(bytes));
  // Each in a slot of its own: they are subscribed apart.
  const boxes: readonly Channels[] = [channelOf(server), everyone].map((channel) => boxOf(feed, channel, read));
  return {
    async open() {
      await Promise.all(boxes.map((box) => feed.subscribe(box)));
    },
    send: (to, text) => publish(to === undefined ? everyone : channelOf(to), text),
    async close() {
      await Promise.all(boxes.map((box) => feed.unsubscribe(box)));
    },
  };
}

function boxOf(feed: Feed, channel: string, read: (bytes: Uint8Array) => void): Channels {
  const box: Channels = {
    channels: new Map([[channel, read]]),
    // What was sent meanwhile is lost. If this fails, the connection is cut once more, and tells that.
    cut: () => void feed.subscribe(box).catch(() => {}),
  };
  return box;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
