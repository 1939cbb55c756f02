/** `edgewire/delivery`: a client that comes back misses nothing, and what it sends is applied once. */
import type { Delivery, DeliveryOptions } from "../../api/delivery.ts";
import type { SessionHost, SessionTable } from "../../server/delivery.ts";
import { ask, choose } from "./handshake.ts";
import { resolveDelivery } from "./options.ts";
import { Sessions } from "./sessions.ts";

export type { Delivery, DeliveryOptions } from "../../api/delivery.ts";

/**
 * The option `delivery` of a handler: `defineHandler({ delivery: delivery(), … })`. Clients that use `DeliverySocket` of "edgewire/delivery/client" then
 * keep their connection over lost sockets; all others are served as before.
 * @throws TypeError, RangeError with the option's name.
 */
export function delivery(options: DeliveryOptions = {}): Delivery {
  const settings = resolveDelivery(options);
  const part = {
    options: settings,
    ask: (listed: readonly string[]) => ask(listed, settings.required),
    choose,
    sessions<State, Env>(host: SessionHost<State, Env>): SessionTable {
      return new Sessions(host, settings);
    },
  };
  return Object.freeze(part);
}
