/** What a delivery or a handshake costs the server with delivery and without it: two servers of one handler run at the same time and take turns. */
import { Load, type Generator } from "../load/load.ts";
import { quantile, spread, type Spread } from "../measure/statistics.ts";
import type { Runtime } from "../servers/contenders.ts";
import { Server } from "../servers/server.ts";

/** A comparison of two modes of the load generator. */
export interface Scene {
  readonly title: string;
  /** Without delivery, and with it. */
  readonly modes: readonly [plain: "fanout" | "connect", delivery: "readers" | "returns"];
  /** Subscribers; handshakes at once are `inflight`. */
  readonly connections: number;
  readonly inflight: number;
}

export interface Pace {
  /** Two processes of one server differ by up to a tenth: each is started several times. */
  readonly starts: number;
  /** Of each start. */
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
  /** Plain's over delivery's in the same round: how much the same processor time does. */
  readonly ratio: Spread;
  /** That of the lowest tenths: other work on the machine makes a slice cost more, never less. */
  readonly quiet: number;
}

export async function paired(runtime: Runtime, scene: Scene, pace: Pace): Promise<Row> {
  const costs: readonly [number[], number[]] = [[], []];
  for (let start = 0; start < pace.starts; start++) await measureStarted(runtime, scene, pace, costs);
  const [plain, delivery] = costs;
  const ratio = spread(plain.map((cost, round) => cost / delivery[round]!));
  const quiet = quantile(plain, 0.1) / quantile(delivery, 0.1);
  return { runtime, title: scene.title, plain: spread(plain).median, delivery: spread(delivery).median, ratio, quiet };
}

interface Contender {
  readonly server: Server;
  readonly load: Load;
  readonly costs: number[];
}

async function measureStarted(
  runtime: Runtime,
  { modes, connections, inflight }: Scene,
  pace: Pace,
  costs: readonly [number[], number[]],
): Promise<void> {
  const stops: { stop(): void }[] = [];
  try {
    const contenders: Contender[] = [];
    for (const [index, mode] of modes.entries()) {
      const server = await Server.start("delivery", runtime, mode);
      stops.push(server);
      const load = await Load.start(server.port, { mode, connections, inflight, bytes: 32, type: "text" }, pace.generator);
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

async function take({ server, load, costs }: Contender, milliseconds: number): Promise<void> {
  const before = server.cpu;
  const { messages } = await load.slice(milliseconds);
  costs.push((server.cpu - before) / 1000 / messages);
}
