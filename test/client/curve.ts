/**
 * How a thousand clients come back to a server that was away for three seconds: real clients, a fake network and clock, seeded random
 * numbers. Run by itself it prints the histogram and draws docs/screenshots/reconnect.svg.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mock } from "node:test";
import { ReconnectingWebSocket } from "edgewire/client";
import { seeded } from "../support/random.ts";
import { FakeWebSocket } from "./fake.ts";

export const clients = 1000;
const bucket = 100;
const away = 3000;
/** Until everyone is back: who tried often in three seconds may wait the longest, 30 s. */
const end = 34_000;
const shown = 15_000;
const step = 20;

export interface Curve {
  /** Attempts that began, and those that found the server, by 100 ms since it went. */
  readonly attempts: number[];
  readonly returned: number[];
}

export interface Clock {
  tick(milliseconds: number): void | Promise<void>;
}

/** Needs timers and a Date that stand still but for `tick`. */
export async function curve(clock: Clock, seed: number): Promise<Curve> {
  const attempts = Array.from({ length: end / bucket }, () => 0);
  const returned = [...attempts];
  const random = Math.random;
  Math.random = seeded(seed);
  FakeWebSocket.made = [];
  const sockets = Array.from(
    { length: clients },
    () => new ReconnectingWebSocket("ws://server.example/", [], { WebSocket: FakeWebSocket, heartbeat: 0 }),
  );
  const first = FakeWebSocket.made;
  for (const one of first) one.opens();
  await clock.tick(6000);
  FakeWebSocket.made = [];
  for (const one of first) one.ends(1001);
  for (let time = 0; time < end; time += step) {
    await clock.tick(step);
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    for (const attempt of FakeWebSocket.made.splice(0)) {
      attempts[Math.floor(time / bucket)]!++;
      if (time < away) attempt.ends();
      else {
        attempt.opens();
        returned[Math.floor(time / bucket)]!++;
      }
    }
  }
  for (const socket of sockets) socket.close();
  Math.random = random;
  return { attempts, returned };
}

export function histogram({ attempts, returned }: Curve): string {
  const line = (count: number, index: number): string =>
    `${String((index * bucket) / 1000).padStart(5)} s ${String(count).padStart(4)} ${"#".repeat(returned[index]! / 2)}${".".repeat((count - returned[index]!) / 2)}`;
  return attempts
    .slice(0, shown / bucket)
    .map(line)
    .join("\n");
}

export function svg({ attempts, returned }: Curve): string {
  const bar = (count: number, index: number, fill: string): string =>
    count === 0 ? "" : `<rect x="${40 + index * 5}" y="${220 - count}" width="4" height="${count}" fill="${fill}"/>`;
  const bars = attempts
    .slice(0, shown / bucket)
    .map((count, index) => bar(count, index, "#c9a227") + bar(returned[index]!, index, "#2f7d5b"))
    .join("\n");
  const seconds = Array.from({ length: shown / 1000 + 1 }, (_, second) => `<text x="${40 + second * 50}" y="236">${second} s</text>`).join(
    "",
  );
  const levels = [50, 100, 150].map((count) => `<text x="8" y="${224 - count}">${count}</text>`).join("");
  const style = `font-family="sans-serif" font-size="11" fill="#777"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 830 245" ${style}>
<text x="40" y="14">attempts of 1000 clients in each 100 ms after the server went (green: it is back, and they are)</text>
${levels}${seconds}
${bars}
</svg>
`;
}

if (import.meta.main) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const found = await curve({ tick: (milliseconds) => mock.timers.tick(milliseconds) }, 1);
  console.log(histogram(found));
  writeFileSync(join(import.meta.dirname, "../../docs/screenshots/reconnect.svg"), svg(found));
}
