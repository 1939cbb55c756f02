/** The table of close codes (RFC 6455 section 7.4) and their rules. */
import { utf8Length } from "../values/text.ts";
import type { Closing } from "../api/connection.ts";

/** Close codes by the names that this project uses for them. */
export const CloseCode = {
  /** The purpose is fulfilled. */
  normal: 1000,
  /** The server shuts down, or the user leaves the page. */
  goingAway: 1001,
  protocolError: 1002,
  /** A kind of data that the other side can't use. */
  unsupportedData: 1003,
  /** Reported for a close frame without a code; never sent. */
  noStatus: 1005,
  /** Reported when the connection ended without a close frame; never sent. */
  abnormal: 1006,
  /** Text that is not UTF-8. */
  invalidPayload: 1007,
  policyViolation: 1008,
  /** A message over `maxPayload`. */
  messageTooBig: 1009,
  /** The client did not get an extension that it needs. */
  mandatoryExtension: 1010,
  /** A hook failed. */
  internalError: 1011,
  /** The state is of another version, and there is no `migrate`. */
  serviceRestart: 1012,
  /** A slow consumer, or more messages than a slow hook can process. */
  tryAgainLater: 1013,
  /** A gateway in between got no answer, or an invalid one. */
  badGateway: 1014,
  /** Who are you? (IANA's registry, like HTTP's 401) The credential's `expiresAt` has passed. */
  unauthorized: 3000,
  /** Not you. (IANA's registry, like HTTP's 403) */
  forbidden: 3003,
} as const;

/**
 * The codes after which `edgewire/client` does not reconnect unless configured to: the purpose is fulfilled, or the next
 * connection would end the same way. A literal list, so that a page does not load the names.
 */
export const finalCloseCodes: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003];

/** RFC 6455 section 5.5: a control frame's payload is at most 125 bytes, two of them the code. */
const maxReason = 123;

/** Codes that an endpoint may send: 1000-1003, 1007-1014 (IANA's registry) and 3000-4999. */
export function isSendable(code: number): boolean {
  return Number.isInteger(code) && ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999));
}

/** @throws RangeError, TypeError with what is wrong with the close and what would be right. */
export function checkClose(code: number, reason: string): void {
  if (!isSendable(code)) {
    throw new RangeError(`close code ${String(code)} can't be sent: use 1000-1003, 1007-1014 or 3000-4999 [EW212]`);
  }
  if (typeof reason !== "string") {
    throw new TypeError(`close reason must be a string, not ${typeof reason} [EW213]`);
  }
  if (utf8Length(reason) > maxReason) {
    throw new RangeError(`close reason is ${utf8Length(reason)} bytes of UTF-8: at most ${maxReason} fit a close frame [EW214]`);
  }
}

/** What the close hook gets if a runtime reports an end that the server did not start. */
export function closingFromPeer(code: number, reason: string): Closing {
  // Runtimes report a lost connection as 1006 or 0, some with a text of their own, which is not from the peer.
  if (code === CloseCode.abnormal || code === 0 || code === 1015) {
    return { code: CloseCode.abnormal, reason: "", initiator: "network" };
  }
  if (code === CloseCode.noStatus) return { code, reason: "", initiator: "client" };
  // A close frame with a code that no endpoint may send violates the protocol, even if the runtime accepts it.
  return isSendable(code) ? { code, reason, initiator: "client" } : { code: CloseCode.protocolError, reason: "", initiator: "server" };
}
