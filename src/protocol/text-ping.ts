/** What Edgewire's own server and client say to each other in plain messages and close reasons. Any client may say it too. */

/**
 * A client sends it as a text message to show that it lives, and is answered with `pongText`; neither is ever delivered to
 * `message`. A Durable Object answers without being woken. Random enough that no application sends it by chance.
 */
export const pingText = "edgewire.ping.9f3a41c7";
export const pongText = "edgewire.pong.9f3a41c7";

/** Asked of every message: almost all are told apart by their length. */
export function isPing(data: string | Uint8Array): boolean {
  return data.length === pingText.length && data === pingText;
}

/** The reason of a close by a server that wants the client back, not before that many milliseconds. */
export function retryReason(milliseconds: number): string {
  return `retry in ${Math.round(milliseconds)} ms`;
}

/** Milliseconds after which the server that closed with this reason wants the client back; undefined when it says nothing of it. */
export function retryDelay(reason: string): number | undefined {
  const said = /^retry in (\d{1,9}) ms$/.exec(reason)?.[1];
  return said ? Number(said) : undefined;
}
