/** Plain messages and close reasons between Edgewire's own server and client. Any client may use them too. */

/**
 * A client sends it as a text message to show that it is alive, and gets `pongText` in answer; neither ever reaches
 * `message`. A Durable Object answers without waking. Random enough that no application sends it by chance.
 */
export const pingText = "edgewire.ping.9f3a41c7";
export const pongText = "edgewire.pong.9f3a41c7";

/** Runs for every message: the length alone decides for almost all. */
export function isPing(data: string | Uint8Array): boolean {
  return data.length === pingText.length && data === pingText;
}

/** The close reason of a server that wants the client to reconnect, but not before that many milliseconds. */
export function retryReason(milliseconds: number): string {
  return `retry in ${Math.round(milliseconds)} ms`;
}

/** Milliseconds after which a server that closed with this reason wants the client back; undefined if it does not say. */
export function retryDelay(reason: string): number | undefined {
  const delay = /^retry in (\d{1,9}) ms$/.exec(reason)?.[1];
  return delay ? Number(delay) : undefined;
}
