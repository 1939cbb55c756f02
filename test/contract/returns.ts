import { needsDelivery, type Chapter } from "../support/case.ts";
import { cutting } from "../support/cutting.ts";
import { hibernation } from "./hibernation.ts";

/** Those of chapter D that say nothing of a lost socket, of the object itself or of an option that clients with delivery are not served with. */
const again = ["D2", "D3", "D4", "D5", "D9", "D10", "D11", "D12", "D13", "D14", "D23", "D28", "D24"];

/** A return is to a connection what an eviction is to an object: the same cases, with clients that are cut and come back. */
export const returns: Chapter = {
  letter: "DR",
  title: "Delivery: chapter D with returns",
  cases: again.map((id) => {
    const one = hibernation.cases.find((other) => other.id === id)!;
    return {
      id: id.replace("D", "DR"),
      statement: `${id} holds for clients with delivery that are cut and come back instead of being evicted.`,
      limits: { ...one.limits, ...needsDelivery },
      run: (t) => one.run(cutting(t)),
    };
  }),
};
