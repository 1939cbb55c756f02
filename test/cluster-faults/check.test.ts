/** The check itself: it finds what it is there for. */
import { expect, test } from "vitest";
import { faultsOf, type Allowed } from "./check.ts";
import { gap, type Shown } from "./client.ts";

const nothing: Allowed = { shownIsLost: false, acknowledgedIsLost: false };
const everything: Allowed = { shownIsLost: true, acknowledgedIsLost: true };
const log = ["s1:1", "x2:1", "a1:2", "s2:2"];

function client(name: string, other: Partial<Shown> = {}): Shown {
  const sent = log.filter((text) => text.slice(1).startsWith(name));
  const shown = log.filter((text) => !text.startsWith(`x${name}:`));
  return { name, shown, sent, answers: sent, acknowledged: new Set(sent), uncertain: [], interrupted: 0, wrong: [], ...other };
}

type Finding = readonly [what: string, first: Partial<Shown>, kept?: readonly string[], allowed?: Allowed];

const findings: readonly Finding[] = [
  ["client 1: closed: 1011 ", { wrong: ["closed: 1011 "] }],
  ["client 1: a1:2 was not shown", { shown: ["s1:1", "x2:1", "s2:2"] }],
  ["client 1: a1:2 came twice", { shown: ["s1:1", "x2:1", "a1:2", "a1:2", "s2:2"] }],
  ["client 1: x2:1 after a1:2", { shown: ["s1:1", "a1:2", "x2:1", "s2:2"] }],
  ["client 1: 1 gaps, and nothing was lost", { shown: ["s1:1", gap, "x2:1", "a1:2", "s2:2"] }],
  ["client 1: a gap after s1:1, and nothing was lost", { shown: ["s1:1", gap, "x2:1", "a1:2", "s2:2"] }, log, everything],
  ["client 1: s9:1 was shown and is lost, and no gap was told", { shown: [...log, "s9:1"] }, log, everything],
  ["client 1: s1:3 is lost, and nobody was told", { sent: ["s1:1", "a1:2", "s1:3"], acknowledged: new Set(["s1:1", "a1:2", "s1:3"]) }],
  ["client 1: nothing is known of a1:2", { acknowledged: new Set(["s1:1"]) }],
  ["client 1: a1:2 is uncertain", { uncertain: ["a1:2"] }],
  ["client 1: no answer to a1:2", { answers: ["s1:1"] }],
  ["client 1: two answers to a1:2", { answers: ["s1:1", "a1:2", "a1:2"] }],
  ["s2:2 was applied twice", {}, [...log, "s2:2"]],
  ["s9:9 was sent by nobody", { shown: [...log, "s9:9"] }, [...log, "s9:9"]],
];

test.each(findings.map((finding) => ({ finding, what: finding[0] })))("finds: $what", ({ finding }) => {
  const [what, first, kept = log, allowed = nothing] = finding;
  expect(faultsOf([client("1", first), client("2")], kept, allowed)).toContain(what);
});

test("finds a message that was stored after a later one", () => {
  const wrong = ["a1:2", "s1:1"];
  const one = client("1", { shown: wrong, sent: ["s1:1", "a1:2"] });
  expect(faultsOf([one], wrong, nothing)).toEqual(["client 1: s1:1 is stored after a later one"]);
});

test("finds nothing if there is nothing", () => {
  expect(faultsOf([client("1"), client("2")], log, nothing)).toEqual([]);
});

test("takes what was told: a gap after what is lost, which may come again, and a message that is uncertain", () => {
  const told: Partial<Shown> = {
    shown: ["s1:1", "a1:2", "s2:2", "s9:1", gap, "x2:1", "a1:2", "s2:2"],
    sent: ["s1:1", "a1:2", "s1:3"],
    uncertain: ["s1:3"],
    answers: ["s1:1", gap],
  };
  expect(faultsOf([client("1", told), client("2")], log, everything)).toEqual([]);
});
