/** Compares what clients were shown with what their room has: all of it once and in order, or a gap where something was pushed out. */
import { gap, type Client } from "./client.ts";
import { few, type State } from "./room.ts";

/** What is looked at of a client. */
export type Shown = Pick<Client, "name" | "sent" | "acknowledged" | "all" | "few" | "answers" | "ids" | "wrong">;

/** What is wrong, in words. */
export function faultsOf(clients: readonly Shown[], state: State): readonly string[] {
  return [
    ...clients.flatMap((client) => ofClient(client, state).map((what) => `client ${client.name}: ${what}`)),
    ...hooksOf(clients, state),
  ];
}

/** How often clients were told of a gap. */
export function gapsOf(clients: readonly Shown[]): number {
  return clients.reduce((sum, client) => sum + client.few.filter((one) => one === gap).length, 0);
}

function ofClient(client: Shown, { all, side, values }: State): readonly string[] {
  const { name, sent, acknowledged, answers, ids, wrong } = client;
  const isOwn = (text: string): boolean => text.slice(1).startsWith(`${name}:`);
  const forIt = all.filter((text) => !(text.startsWith("x") && isOwn(text)));
  const isTwofold = (text: string): boolean => text.startsWith("t");
  const counted = sent.filter((text) => text.startsWith("v")).length;
  return [
    ...wrong,
    ...difference("messages that were applied", all.filter(isOwn), sent),
    ...difference("acknowledged", acknowledged, sent),
    ...difference("answers", answers, sent),
    // What is in two topics may come by the other one first.
    ...difference(
      "the topic",
      client.all.filter((text) => !isTwofold(text)),
      forIt.filter((text) => !isTwofold(text)),
    ),
    ...difference("what is in two topics", client.all.filter(isTwofold), side),
    ...fewOf(client, all),
    ...((values[name] ?? 0) === counted ? [] : [`${values[name] ?? 0} messages were counted, of ${counted}`]),
    ...(ids.size === 1 ? [] : [`its connections are ${[...ids].join(", ")}`]),
  ];
}

/** Each message is in both topics, and so they have the same order. */
function fewOf(client: Shown, all: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const places = new Map(all.map((text, index) => [text, index]));
  // A new client begins wherever the topic does.
  const begin = client.few.findIndex((one) => one !== gap);
  let last = (places.get(String(client.few[begin])) ?? 0) - 1;
  let isTold = false;
  for (const one of client.few.slice(begin)) {
    if (one === gap) {
      isTold = true;
      continue;
    }
    const place = places.get(one) ?? -1;
    if (place <= last) faults.push(`few: ${one} after ${all[last]}`);
    else if (place > last + 1 && !isTold) faults.push(`few: ${place - last - 1} are missing before ${one}, and no gap was told`);
    else if (place === last + 1 && isTold) faults.push(`few: a gap was told before ${one}, and nothing is missing`);
    // What comes after a gap was the oldest that was kept.
    else if (isTold && place + few > all.length) faults.push(`few: goes on at ${one} after a gap, and older ones were kept`);
    last = place;
    isTold = false;
  }
  if (isTold || last !== all.length - 1) faults.push(`few: ends with ${all[last]} instead of ${all.at(-1)}`);
  return faults;
}

function hooksOf(clients: readonly Shown[], { hooks }: State): readonly string[] {
  const opened = hooks.filter((text) => text.startsWith("open ")).map((text) => text.slice(5));
  const closed = hooks.filter((text) => text.startsWith("close ")).map((text) => text.slice(6));
  const ids = clients.flatMap((client) => [...client.ids]);
  return [
    ...opened.filter((id, index) => opened.indexOf(id) !== index).map((id) => `open ran twice for ${id}`),
    ...closed.filter((id, index) => closed.indexOf(id) !== index).map((id) => `close ran twice for ${id}`),
    ...closed.filter((id) => !opened.includes(id)).map((id) => `close ran for ${id}, and open did not`),
    ...ids.filter((id) => !opened.includes(id)).map((id) => `open did not run for ${id}`),
    ...ids.filter((id) => !closed.includes(id)).map((id) => `close did not run for ${id}`),
  ];
}

/** The first difference between two lists; nothing if they are the same. */
function difference(what: string, is: readonly string[], should: readonly string[]): readonly string[] {
  const at = Array.from({ length: Math.max(is.length, should.length) }, (_, index) => index).find((index) => is[index] !== should[index]);
  if (at === undefined) return [];
  return [`${what}: ${is[at]} instead of ${should[at]} at ${at}; ${is.length} of ${should.length}`];
}
