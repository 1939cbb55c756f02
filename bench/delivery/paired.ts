/** What a delivery or a handshake costs the server with delivery and without it: two servers of one handler run at the same time and take turns. */
import { Load, type Generator } from "../load/load.ts";
import { spread, type Spread } from "../measure/statistics.ts";
import type { Runtime } from "../servers/contenders.ts";
import { Server } from "../servers/server.ts";

/** A comparison of two modes of the load generator. */
export interface Scene {
  readonly title: string;
  /** Without delivery, and with it. */
  readonly modes: readonly [plain: "fanout" | "connect", delivery: "readers" | "returns"];
  /** Subscribers; handshakes are counted by `inflight`. */
  readonly connections: number;
  readonly inflight: number;
}

export interface Pace {
  readonly starts: number;
  readonly rounds: number;
  /** Milliseconds. */
  readonly slice: number;
  readonly warmUp: number;
  readonly generator: Generator;
}

export interface Row {
  readonly runtime: Runtime;
  readonly title: string;
  /** Microseconds of the server's processor time. */
  readonly plain: number;
  readonly delivery: number;
  /** Plain's over delivery's in the same round: what as much processor time does. */
  readonly ratio: Spread;
}

interface Contender {
  readonly server: Server;
  readonly load: Load;
  readonly costs: number[];
}

/** Two processes of one server differ by up to a tenth: each is started several times. */
export async function paired(runtime: Runtime, { title, modes, ...numbers }: Scene, pace: Pace): Promise<Row> {
  const costs: readonly [number[], number[]] = [[], []];
  for (let start = 0; start < pace.starts; start++) {
    const stops: { stop(): void }[] = [];
    try {
      const contenders: Contender[] = [];
      for (const [index, mode] of modes.entries()) {
        const server = await Server.start("delivery", runtime, mode);
        stops.push(server);
        const load = await Load.start(server.port, { mode, ...numbers, bytes: 32, type: "text" }, pace.generator);
        stops.push(load);
        contenders.push({ server, load, costs: costs[index as 0 | 1] });
      }
      for (const { load } of contenders) await load.slice(pace.warmUp);
      for (let round = 0; round < pace.rounds; round++)
        for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) await take(contender, pace.slice);
    } finally {
      for (const each of stops) each.stop();
    }
  }
  const [plain, delivery] = costs;
  const ratio = spread(plain.map((cost, round) => cost / delivery[round]!));
  return { runtime, title, plain: spread(plain).median, delivery: spread(delivery).median, ratio };
}

async function take({ server, load, costs }: Contender, milliseconds: number): Promise<void> {
  const before = server.cpu;
  const { messages } = await load.slice(milliseconds);
  costs.push((server.cpu - before) / 1000 / messages);
}
