/** Delivery in the handshake: what a client asks for, and what it is given. */
import { deliveryOffer, deliveryProtocol, outerProtocol } from "../../protocol/delivery.ts";
import { refuse } from "../../protocol/refusal.ts";
import type { AskedDelivery, DeliveryChoice } from "../../server/delivery.ts";
import type { OpeningDelivery } from "../../server/runtime.ts";
import { isName, longestName, ownText, show } from "../../values/text.ts";

/** Undefined for a client without delivery. */
export function ask(listed: readonly string[], isRequired: boolean): AskedDelivery | Response | undefined {
  const offer = deliveryOffer(listed);
  if (offer !== undefined || !isRequired) return offer;
  return refuse(400, `this server asks for delivery: Sec-WebSocket-Protocol must offer ${deliveryProtocol}`, {}, "delivery");
}

/** @throws TypeError for an invalid subject. */
export function choose({ inner, resume }: AskedDelivery, { protocol, subject, refresh }: DeliveryChoice): OpeningDelivery | Response {
  const selected = outerProtocol(protocol);
  if (!inner.includes(protocol))
    return refuse(400, `Sec-WebSocket-Protocol must offer ${selected}, which this server selects`, {}, "delivery");
  if (subject !== undefined && !isName(subject))
    throw new TypeError(`upgrade returned the subject ${show(subject)}: must be a well-formed string of 1 to ${longestName} bytes [EW406]`);
  return {
    selected: ownText(selected),
    ...(resume === undefined ? {} : { resume: ownText(resume) }),
    ...(subject === undefined ? {} : { subject: ownText(subject) }),
    ...(refresh === true ? { refresh } : {}),
  };
}

/** A session's name, 128 random bits: it is all that a client without a subject has to show. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .slice(0, 22);
}
