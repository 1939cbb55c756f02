/** Servers over a file are killed, or stop for a while, while clients go on. */
import { run, type Result, type Round } from "./round.ts";
import type { Servers } from "./servers.ts";

export type Happening = "kill" | "kill twice" | "stop";

export interface KillPlan {
  readonly kills: number;
  readonly stops: number;
  readonly seed: number;
  readonly clients?: number;
}

export interface Kills extends Result {
  readonly kills: number;
  readonly stops: number;
}

/** Of a stop: longer than clients wait for a pong, so that they come back while the server still has their sockets. */
const stopped = 400;
/** Messages of all clients between two of them, at most. */
const between = 60;

/** One room: a session has to survive all of it. */
export async function killsAndStops(servers: Servers, { kills, stops, seed, clients = 6 }: KillPlan): Promise<Kills> {
  const left = { kills, stops };
  const done = { kills: 0, stops: 0 };
  const happen = async (round: Round): Promise<void> => {
    const { random } = round;
    if (random.next() * (left.kills + left.stops) < left.stops) {
      left.stops--;
      done.stops++;
      return servers.stop(stopped);
    }
    const isTwice = left.kills > 1 && random.chance(0.2);
    left.kills -= isTwice ? 2 : 1;
    done.kills += isTwice ? 2 : 1;
    return isTwice ? servers.killTwice(random.int(0, 150)) : servers.kill();
  };
  const result = await run({
    port: () => servers.port,
    server: () => servers.port,
    room: `kills-${seed}`,
    seed,
    clients,
    options: { heartbeat: 60, heartbeatTimeout: 150, connectTimeout: 1000 },
    async faults(round) {
      while (left.kills + left.stops > 0) {
        const messages = round.messages + round.random.int(1, between);
        await round.until("more messages", () => round.messages >= messages);
        await happen(round);
        const opened = round.clients.map((client) => client.opened);
        // All of them are back before the next one, or it has them while they come.
        if (round.random.chance(0.7))
          await round.until("every client", () =>
            round.clients.every((client, index) => client.socket.status === "open" || client.opened > opened[index]!),
          );
      }
    },
  });
  return { ...result, ...done };
}
