/** The chapters of docs/maintainers/contract.md, in its order. */
import type { Chapter } from "../support/case.ts";
import { calls } from "./calls.ts";
import { closing } from "./closing.ts";
import { deliveries } from "./delivery.ts";
import { expiry } from "./expiry.ts";
import { failures } from "./failing.ts";
import { flow } from "./flow.ts";
import { hibernation } from "./hibernation.ts";
import { handshake, subprotocol } from "./handshake.ts";
import { limits } from "./limits.ts";
import { liveness } from "./liveness.ts";
import { messages } from "./messages.ts";
import { order } from "./order.ts";
import { origin } from "./origin.ts";
import { presence } from "./presence.ts";
import { http, isolation, tls } from "./serving.ts";
import { history } from "./history.ts";
import { storage } from "./storage.ts";
import { stats } from "./stats.ts";
import { returns } from "./returns.ts";
import { roomHooks } from "./room-hooks.ts";
import { rooms } from "./rooms.ts";
import { topics } from "./topics.ts";
import { upgrade } from "./upgrade.ts";
import { violations } from "./violations.ts";

export const chapters: readonly Chapter[] = [
  handshake,
  subprotocol,
  origin,
  upgrade,
  messages,
  order,
  flow,
  limits,
  closing,
  violations,
  failures,
  topics,
  rooms,
  calls,
  roomHooks,
  hibernation,
  liveness,
  presence,
  expiry,
  storage,
  stats,
  history,
  deliveries,
  returns,
  http,
  tls,
  isolation,
];

const ids = chapters.flatMap(({ cases }) => cases.map(({ id }) => id));
const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
if (twice.length > 0) throw new Error(`two cases of the contract have the number ${twice.join(", ")}`);
