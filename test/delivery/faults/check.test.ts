/** The check finds what it is for. */
import { expect, test } from "vitest";
import { faultsOf, type Shown } from "./check.ts";
import { gap } from "./client.ts";
import type { State } from "./room.ts";

const all = ["s0:1", "t1:1", "v0:2", "x0:3", "s1:2"];
const state: State = { all, side: ["t1:1"], few: all, hooks: ["open a", "open b", "close b", "close a"], values: { 0: 1 } };
const zero: Shown = {
  name: "0",
  sent: ["s0:1", "v0:2", "x0:3"],
  acknowledged: ["s0:1", "v0:2", "x0:3"],
  all: ["t1:1", "s0:1", "v0:2", "s1:2"],
  few: all,
  answers: ["s0:1", "v0:2", "x0:3"],
  ids: new Set(["a"]),
  wrong: [],
};
const one: Shown = {
  name: "1",
  sent: ["t1:1", "s1:2"],
  acknowledged: ["t1:1", "s1:2"],
  all,
  few: all,
  answers: ["t1:1", "s1:2"],
  ids: new Set(["b"]),
  wrong: [],
};

test("nothing is wrong with what has arrived", () => {
  expect(faultsOf([zero, one], state)).toEqual([]);
});

test.each<[string, Partial<Shown>, Partial<State>]>([
  ["a message was lost", {}, { all: all.slice(1), few: all.slice(1) }],
  ["a message was applied twice", {}, { all: ["s0:1", ...all] }],
  ["an acknowledgement is missing", { acknowledged: ["s0:1", "v0:2"] }, {}],
  ["an answer came twice", { answers: ["s0:1", "s0:1", "v0:2", "x0:3"] }, {}],
  ["the topic lacks one", { all: ["t1:1", "v0:2", "s1:2"] }, {}],
  ["the topic has one twice", { all: ["s0:1", "s0:1", "t1:1", "v0:2", "s1:2"] }, {}],
  ["the topic is out of order", { all: ["v0:2", "s0:1", "t1:1", "s1:2"] }, {}],
  ["it got what was for the others", { all: ["s0:1", "t1:1", "v0:2", "x0:3", "s1:2"] }, {}],
  ["what is in two topics came twice", { all: ["t1:1", "t1:1", "s0:1", "v0:2", "s1:2"] }, {}],
  ["a value was counted twice", {}, { values: { 0: 2 } }],
  ["a silent gap", { few: ["s0:1", "s1:2"] }, {}],
  ["a false gap", { few: ["s0:1", gap, ...all.slice(1)] }, {}],
  ["a gap that is larger than it is", { few: ["s0:1", gap, "s1:2"] }, {}],
  ["a gap and nothing after it", { few: [...all, gap] }, {}],
  ["the end of a topic is missing", { few: all.slice(0, 4) }, {}],
  ["another connection", { ids: new Set(["a", "c"]) }, { hooks: ["open a", "open b", "open c", "close b", "close a", "close c"] }],
  ["open ran twice", {}, { hooks: ["open a", ...state.hooks] }],
  ["close ran twice", {}, { hooks: [...state.hooks, "close a"] }],
  ["close did not run", {}, { hooks: state.hooks.slice(0, 3) }],
  ["something was uncertain", { wrong: ["uncertain: s0:1"] }, {}],
])("%s", (_, shown, room) => {
  expect(faultsOf([{ ...zero, ...shown }, one], { ...state, ...room })).not.toEqual([]);
});
