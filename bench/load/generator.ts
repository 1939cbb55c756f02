/**
 * The load generator for machines without a C compiler, run by Bun. Its protocol, modes and checks are those of load.c, but for the modes of delivery. Bun's client needs more CPU
 * than C for masking and parsing frames, so it may limit the rate. CPU per message is not affected.
 */
import process from "node:process";
import { createInterface } from "node:readline";

const modes = ["echo", "latency", "fanout", "connect", "idle"];
const [port, mode = "", connections = 0, inflight = 0, bytes = 0, type] = process.argv.slice(2).map((value, index) => {
  return index === 1 || index === 5 ? value : Number(value);
}) as [number, string, number, number, number, string];
if (!modes.includes(mode) || bytes < 9) die("no such mode, or fewer than nine bytes");

interface Client {
  socket: WebSocket;
  sent: number;
  received: number;
  /** When the pending message was sent (latency). */
  at: number;
}

const tail = Array.from({ length: bytes }, (_, index) => "abcdefghijklmnop"[index % 16])
  .join("")
  .slice(8);
const clients: Client[] = [];
const samples: number[] = [];
/** Fan-out: how many subscribers have received each pending publish. */
const reached = new Map<number, number>();
let [done, pending, running, started, deadline, last] = [0, 0, false, 0, 0, 0];
let finish: () => void = () => {};

if (mode !== "connect") for (let index = 0; index < connections + Number(mode === "fanout"); index++) await connect(index);
say({ ready: clients.length });
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.startsWith("go ")) break;
  await go(Number(line.slice(3)));
}
process.exit();

async function go(milliseconds: number): Promise<void> {
  [done, pending, running] = [0, 0, true];
  samples.length = 0;
  started = last = performance.now();
  const used = process.cpuUsage();
  deadline = started + milliseconds;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const timers = [
    setTimeout(settle, milliseconds),
    setTimeout(die, milliseconds + 10_000, "answers are missing ten seconds after the end"),
  ];
  if (mode === "connect") for (let index = 0; index < inflight; index++) handshake();
  else if (mode === "fanout") for (let index = 0; index < inflight; index++) send(clients[0]!);
  else if (mode !== "idle") {
    for (const client of clients) for (let index = 0; index < inflight; index++) send(client);
  }
  await finished;
  timers.forEach((timer) => clearTimeout(timer));
  const { user, system } = process.cpuUsage(used);
  const busy = (user + system) / 1000 / (performance.now() - started);
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)]! * 1e6);
  say({ messages: done, ms: last - started, busy, ...(sorted.length > 0 ? { p50: at(0.5), p99: at(0.99) } : {}) });
}

function settle(): void {
  if (!running || pending > 0 || performance.now() < deadline) return;
  running = false;
  finish();
}

function send(client: Client): void {
  pending++;
  client.at = performance.now();
  const text = payload(client.sent++);
  client.socket.send(type === "binary" ? Buffer.from(text) : text);
}

function payload(number: number): string {
  return number.toString(16).padStart(8, "0") + tail;
}

function receive(client: Client, data: string | ArrayBuffer): void {
  if ((typeof data === "string") !== (type === "text")) die("a frame of another type");
  const text = typeof data === "string" ? data : Buffer.from(data).toString("latin1");
  if (text.length !== bytes) die("a message of another length");
  if (text !== payload(client.received++)) die("another message, or out of order");
  done++;
  last = performance.now();
  if (mode === "fanout") return published(client.received);
  pending--;
  if (mode === "latency") samples.push(last - client.at);
  if (running && last < deadline) send(client);
  else settle();
}

function published(number: number): void {
  const count = (reached.get(number) ?? 0) + 1;
  if (count < connections) return void reached.set(number, count);
  reached.delete(number);
  pending--;
  if (running && last < deadline) send(clients[0]!);
  else settle();
}

function connect(index: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const path = mode === "fanout" && index === 0 ? "/pub" : mode === "idle" ? "/?idle" : "/";
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const client: Client = { socket, sent: 0, received: 0, at: 0 };
  socket.binaryType = "arraybuffer";
  socket.onopen = () => resolve();
  socket.onmessage = ({ data }) => receive(client, data as string | ArrayBuffer);
  socket.onclose = ({ code }) => die(`the server ended a connection: ${code}`);
  clients.push(client);
  return promise;
}

function handshake(): void {
  pending++;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  let open = false;
  socket.onopen = () => {
    open = true;
    socket.close(1000);
  };
  socket.onclose = ({ code }) => {
    if (!open) die(`no 101: ${code}`);
    done++;
    pending--;
    last = performance.now();
    if (running && last < deadline) handshake();
    else settle();
  };
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function die(error: string): never {
  say({ error });
  process.exit(1);
}
