/** The options of a socket with delivery: the plain client's, but those of its queue. */
import { clientDefaults, resolveOptions } from "../../client/options.ts";
import type { DeliveryOptions, DeliveryStore } from "./types.ts";

/** No store, as an object: it is what is there to be compared with. */
export const noStore = {} as DeliveryStore;

/** @throws TypeError, RangeError with the option's name. */
export function resolveDeliveryOptions(options: DeliveryOptions): Required<DeliveryOptions> {
  const { queueMessages: keepMessages, queueBytes: keepBytes, ...others } = clientDefaults();
  const settings = resolveOptions<Required<DeliveryOptions>>({ ...others, keepMessages, keepBytes, store: noStore }, options);
  const { storage, key } = settings.store;
  if (settings.store !== noStore && (!storage?.getItem || typeof key !== "string"))
    throw new TypeError('option "store": expected { storage: sessionStorage, key: "name" } [EW402]');
  return settings;
}
