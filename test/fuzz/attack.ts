/** Carries out a plan on one connection, and fails where the server leaves it hanging. */
import { setTimeout as sleep } from "node:timers/promises";
import { dial, type Address, type Client } from "../support/client.ts";
import { describePlan, type Action, type Cause, type Plan } from "./plan.ts";

export interface Outcome {
  /** The handshake was read, and answered with 101. */
  accepted: boolean;
  /** What a platform limit kept the server from ending, after the wait that such a connection is given. */
  left: Cause | undefined;
}

/** How long a server may take to end a connection: the core's closing deadline of 10 s, twice, on a busy machine. */
export const patience = 30_000;
/** How long a connection waits that, by a platform limit, may never be ended. */
const shortPatience = 200;

/** @throws with the plan and how far it came. */
export async function attack(plan: Plan, address: Address, isLimit: (cause: Cause) => boolean): Promise<Outcome> {
  const outcome: Outcome = { accepted: false, left: undefined };
  // Bytes that are no TLS are what the TLS listener gets.
  const client = await dial({ port: address.port }, patience);
  // Not by itself: its answer could fall between two halves of a frame.
  client.answersClose = false;
  const tcpEnded = endOf(client);
  let step = 0;
  try {
    for (const action of plan.actions) {
      if (action.type === "ended" && plan.answersClose) answerClose(client);
      await perform(action, client, outcome, tcpEnded, isLimit);
      step++;
    }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${describePlan(plan, step)}`, { cause: error });
  } finally {
    cut(client);
  }
  return outcome;
}

async function perform(
  action: Action,
  client: Client,
  outcome: Outcome,
  tcpEnded: Promise<true>,
  isLimit: (cause: Cause) => boolean,
): Promise<void> {
  switch (action.type) {
    case "write":
      return client.write(action.bytes);
    case "drip":
      for (let at = 0; at < action.bytes.length && !client.socket.destroyed; at += action.step) {
        client.write(action.bytes.subarray(at, at + action.step));
        await sleep(action.every);
      }
      return;
    case "wait":
      await sleep(action.milliseconds);
      return;
    case "accepted": {
      const { status } = await client.head();
      if (status !== 101) throw new Error(`a valid handshake got ${status}`);
      outcome.accepted = true;
      return;
    }
    case "expect":
      return expectText(client, action.text);
    case "ended": {
      const limit = isLimit(action.cause);
      const wait = limit ? shortPatience : patience;
      // A response to a spoilt handshake, say, has to be read for its end to be seen.
      client.resume();
      const giveUp = new AbortController();
      const ended = await Promise.race([tcpEnded, sleep(wait, false, { signal: giveUp.signal }).catch(() => false)]);
      giveUp.abort();
      if (!ended && !limit) throw new Error(`the server did not end it within ${wait} ms`);
      if (!ended) outcome.left = action.cause;
      return;
    }
    case "deafen":
      return client.pause();
    case "fin":
      return client.finish();
    case "reset":
      return cut(client);
  }
}

/** Echoes of what was sent before may come first; no end may. */
async function expectText(client: Client, text: string): Promise<void> {
  for (;;) {
    const event = await client.next();
    if (event.type === "text" && event.data === text) return;
    if (event.type === "close" || event.type === "end") throw new Error(`a legal connection was ended: ${JSON.stringify(event)}`);
  }
}

/** Answers the server's close frame, whether it has come or will. */
function answerClose(client: Client): void {
  client.answersClose = true;
  const close = client.pending.find((event) => event.type === "close");
  if (close !== undefined && !client.socket.writableEnded) client.close(close.code === 1005 ? undefined : close.code);
}

/** A reset. After our FIN, Node 24's `resetAndDestroy` would leave a handle behind that keeps the process alive; the kernel resets all the same. */
function cut(client: Client): void {
  if (client.socket.destroyed || client.socket.writableEnded) client.destroy();
  else client.reset();
}

/** FIN or a reset from the server. */
function endOf({ socket }: Client): Promise<true> {
  return new Promise((resolve) => {
    socket.once("end", () => resolve(true));
    socket.once("close", () => resolve(true));
  });
}
