/** What one client of the long soak does, from joining to any kind of end. */
import { setTimeout as sleep } from "node:timers/promises";
import { dial, type Client } from "../../support/client.ts";
import type { Random } from "../../fuzz/random.ts";
import { encodeRequest } from "../../wire/http.ts";

const rooms = 12;
const patience = 20_000;
/** Milliseconds: well below the handler's upgradeTimeout. */
const longestDial = 300;

/**
 * @param resetsEarly whether a client may reset before it has the 101.
 * @throws where a good client does not get what it should.
 */
export async function session(port: number, random: Random, resetsEarly: boolean): Promise<void> {
  const began = performance.now();
  const client = await dial({ port }, patience);
  try {
    // On a busy machine this process may be late itself, and a head that is late is answered with 408.
    if (performance.now() - began < longestDial) await random.weighted(sessions)(client, random, resetsEarly);
  } finally {
    // What closes a socket with data unread resets it.
    if (!resetsEarly) await leave(client);
    client.destroy();
  }
}

/** Ends politely, with all that has come read: of other ends in the wrong moment workerd tells nobody. */
async function leave(client: Client): Promise<void> {
  client.resume();
  client.finish();
  const late = sleep(2000, "late" as const);
  try {
    for (;;) {
      const event = await Promise.race([client.next(), late]);
      if (event === "late" || event.type === "end") return;
    }
  } catch {
    // It has ended already, or what it sent was no WebSocket's.
  }
}

type Session = (client: Client, random: Random, resetsEarly: boolean) => Promise<void>;

const sessions: readonly (readonly [number, Session])[] = [
  [30, member],
  [8, slowReader],
  [8, pipelined],
  [8, refused],
  [6, leavesEarly],
  [4, waits],
  [4, plain],
];

function request(random: Random, query = ""): Buffer {
  return encodeRequest({ target: `/room${random.int(1, rooms)}?who=${random.int(1, 9)}${query}` }, "localhost");
}

async function join(client: Client, random: Random, query = ""): Promise<void> {
  client.write(request(random, query));
  const { status } = await client.head();
  if (status !== 101) throw new Error(`a good handshake got ${status}`);
}

/** Publishes, stores, echoes, fails; then leaves in one of all the ways. */
async function member(client: Client, random: Random): Promise<void> {
  await join(client, random, random.chance(0.2) ? "&upgrade=slow" : "");
  for (let message = random.int(1, 8); message > 0; message--) {
    client.send(random.pick(["publish", "publish", "store", `echo ${random.text(20)}`]));
    if (random.chance(0.3)) await sleep(random.int(0, 30));
  }
  client.send("last");
  for (;;) {
    const event = await client.next();
    if (event.type === "text" && event.data === "last") break;
    // On a machine that is busy a good client may be slow, too.
    if (event.type === "close" && event.code === 1013) return;
    if (event.type === "close" || event.type === "end") throw new Error(`a good client was ended: ${JSON.stringify(event)}`);
  }
  switch (random.int(0, 4)) {
    case 0:
      return client.reset();
    case 1:
      client.send("throw");
      return ended(client);
    case 2:
      return client.finish();
    default:
      client.close(1000);
      return ended(client);
  }
}

async function ended(client: Client): Promise<void> {
  for (let event = await client.next(); event.type !== "end";) event = await client.next();
}

/** Reads nothing while it is flooded, until it is closed as a slow consumer or leaves. */
async function slowReader(client: Client, random: Random): Promise<void> {
  await join(client, random);
  client.pause();
  for (let flood = random.int(1, 6); flood > 0; flood--) client.send("flood");
  await sleep(random.int(50, 300));
  if (random.chance(0.5)) client.resume();
}

/** A plain request, a handshake behind it, and what follows. */
async function pipelined(client: Client, random: Random): Promise<void> {
  const plainRequest = Buffer.from("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.write(Buffer.concat([plainRequest, request(random, random.pick(["", "&upgrade=refuse", "&upgrade=slow", "&upgrade=throw"]))]));
  await sleep(random.int(0, 60));
}

async function refused(client: Client, random: Random): Promise<void> {
  const why = random.pick(["&upgrade=refuse", "&upgrade=throw"]);
  client.write(request(random, why));
  const { status } = await client.head();
  if (status !== (why.endsWith("refuse") ? 403 : 500)) throw new Error(`a refused handshake got ${status}`);
  if (random.chance(0.5)) client.write("x");
}

async function leavesEarly(client: Client, random: Random, resetsEarly: boolean): Promise<void> {
  const bytes = request(random, random.pick(["&upgrade=slow", "&upgrade=never", ""]));
  client.write(bytes.subarray(0, random.chance(0.3) ? random.int(1, bytes.length) : bytes.length));
  await sleep(random.int(0, 60));
  if (resetsEarly && random.chance(0.5)) client.reset();
}

/** Its hook waits for `connection.signal`. */
async function waits(client: Client, random: Random): Promise<void> {
  await join(client, random);
  client.send("wait");
  client.send("publish");
  await sleep(random.int(20, 60));
  if (random.chance(0.5)) client.reset();
  else client.close(1001);
}

async function plain(client: Client): Promise<void> {
  client.write("GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  await client.head();
}

/** How many connections the server still has, once every client has left. */
export async function countOpen(port: number): Promise<number> {
  let open = 0;
  for (let room = 1; room <= rooms; room++) {
    const client = await dial({ port }, patience);
    client.write(encodeRequest({ target: `/room${room}` }, "localhost"));
    await client.head();
    client.send("count");
    for (;;) {
      const event = await client.next();
      if (event.type === "end") throw new Error("the client that counts was disconnected");
      if (event.type !== "text" || !event.data.startsWith("count ")) continue;
      open += Number(event.data.slice("count ".length)) - 1;
      break;
    }
    client.close(1000);
    await ended(client);
    client.destroy();
  }
  return open;
}
