/** Compares what clients were shown and told with what the room has: nothing lost or twice but what was told, and one order. */
import { gap, type Shown } from "./client.ts";

/** What may happen in a round. */
export interface Allowed {
  /** Redis may lose what readers were shown, and nobody was told to be stored. */
  readonly shownIsLost: boolean;
  /** Redis may lose what was acknowledged. */
  readonly acknowledgedIsLost: boolean;
}

/** What is wrong, in words. @param log the topic's texts. */
export function faultsOf(clients: readonly Shown[], log: readonly string[], allowed: Allowed): readonly string[] {
  const places = new Map(log.map((text, index) => [text, index]));
  const sent = new Set(clients.flatMap((client) => client.sent));
  return [
    ...log.filter((text, index) => places.get(text) !== index).map((text) => `${text} was applied twice`),
    ...log.filter((text) => !sent.has(text)).map((text) => `${text} was sent by nobody`),
    ...clients.flatMap((client) =>
      [...client.wrong, ...fatesOf(client, places, allowed), ...shownTo(client, log, places), ...gapsOf(client, places, allowed)].map(
        (what) => `client ${client.name}: ${what}`,
      ),
    ),
  ];
}

/** What of the topic is for a client. */
export function isFor(name: string, text: string): boolean {
  return !text.startsWith(`x${name}:`);
}

function fatesOf(client: Shown, places: ReadonlyMap<string, number>, { acknowledgedIsLost }: Allowed): readonly string[] {
  const { name, sent, acknowledged, uncertain, answers, interrupted } = client;
  const told = new Set(uncertain);
  const answered = answers.filter((one) => one !== gap);
  const mayLack = interrupted > 0 || answered.length < answers.length;
  const own = Array.from(places.keys()).filter((text) => text.slice(1).startsWith(`${name}:`));
  const numbers = own.map(numberOf);
  return [
    ...sent.filter((text) => !places.has(text) && !told.has(text)).map((text) => `${text} is lost, and nobody was told`),
    ...(acknowledgedIsLost ? [] : uncertain.map((text) => `${text} is uncertain`)),
    ...sent.filter((text) => !acknowledged.has(text) && !told.has(text)).map((text) => `nothing is known of ${text}`),
    ...own.filter((_, index) => numbers[index]! < (numbers[index - 1] ?? 0)).map((text) => `${text} is stored after a later one`),
    ...(mayLack ? [] : own.filter((text) => !answered.includes(text)).map((text) => `no answer to ${text}`)),
    ...(mayLack ? [] : answered.filter((text, index) => answered.indexOf(text) !== index).map((text) => `two answers to ${text}`)),
  ];
}

function numberOf(text: string): number {
  return Number(text.split(":")[1]);
}

/** Of each text the latest time counts: what was shown before a gap may be gone, or have another place. */
function shownTo({ name, shown }: Shown, log: readonly string[], places: ReadonlyMap<string, number>): readonly string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  const lastGap = shown.lastIndexOf(gap);
  let segment = new Set<string>();
  let last = -1;
  for (const [index, text] of shown.entries()) {
    if (text === gap) {
      segment = new Set();
      last = -1;
      continue;
    }
    const place = places.get(text);
    if (segment.has(text)) faults.push(`${text} came twice`);
    segment.add(text);
    seen.add(text);
    if (index < lastGap) continue;
    if (place === undefined) faults.push(`${text} was shown and is lost, and no gap was told`);
    else if (place <= last) faults.push(`${text} after ${log[last]}`);
    last = Math.max(last, place ?? -1);
  }
  return [...faults, ...log.filter((text) => isFor(name, text) && !seen.has(text)).map((text) => `${text} was not shown`)];
}

function gapsOf(client: Shown, places: ReadonlyMap<string, number>, { shownIsLost }: Allowed): readonly string[] {
  const { shown, answers } = client;
  const gaps = [...shown, ...answers].filter((one) => one === gap).length;
  if (!shownIsLost) return gaps === 0 ? [] : [`${gaps} gaps, and nothing was lost`];
  return Array.from(shown.keys())
    .filter((index) => shown[index] === gap && !hasLost(client, index, places))
    .map((index) => `a gap after ${String(shown[index - 1])}, and nothing was lost`);
}

/** Whether something of before the gap is gone, or has another place. What it sent for others alone counts as shown: its position is after that. */
function hasLost({ name, sent, shown }: Shown, index: number, places: ReadonlyMap<string, number>): boolean {
  const before = shown.slice(shown.lastIndexOf(gap, index - 1) + 1, index) as string[];
  const after = shown.slice(index + 1).filter((one) => one !== gap);
  const isAgain = new Set(after);
  const first = after.reduce((least, text) => Math.min(least, places.get(text) ?? least), Infinity);
  const isMoved = (text: string): boolean => isAgain.has(text) || (places.get(text) ?? Infinity) > first;
  return before.some(isMoved) || sent.some((text) => !isFor(name, text) && !places.has(text));
}
