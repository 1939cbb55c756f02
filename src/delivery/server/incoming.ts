/** What a client with delivery sends: its messages, each once and in order, and what it says of its reading. */
import type { Data, MaybePromise } from "../../api/connection.ts";
import type { Delivered } from "../../connection/hooks.ts";
import { CloseCode } from "../../protocol/close.ts";
import type { SharedLine, SharedSessions } from "../../rooms/shared-sessions.ts";
import { isPing } from "../../protocol/text-ping.ts";
import { isPromise } from "../../values/promise.ts";
import { parseClientFrame } from "../frames.ts";
import type { ClientControl } from "../frames.ts";
import type { Session } from "./session.ts";
import type { TurnEnd } from "./turn-end.ts";

/** What is needed of the line. */
export interface Receiver {
  readonly session: Session;
  readonly turn: TurnEnd;
  readonly connection: ReceiverConnection;
  /** Undefined where rooms are on this server alone. */
  readonly shared: { readonly sessions: SharedSessions; readonly side: SharedLine } | undefined;
  noteBehind(): void;
  /** Reads logs, whose rule may run the application's `encode`. */
  reading<T>(run: () => T): T;
}

interface ReceiverConnection {
  readonly id: string;
  readonly surroundings: { readonly settings: { readonly heartbeat: unknown } };
  alive(): void;
  eased(): MaybePromise<void>;
  message(data: Data): MaybePromise<void>;
  deliver(delivered: Delivered): MaybePromise<void>;
  violated(code: number, reason?: string): MaybePromise<void>;
}

export function received(line: Receiver, data: Data): MaybePromise<void> {
  const { connection } = line;
  // Bare, so that an object need not wake for it.
  if (isPing(data) && connection.surroundings.settings.heartbeat !== false) return connection.message(data);
  const frame = parseClientFrame(data);
  if (frame === undefined) return connection.violated(CloseCode.protocolError, "Not a frame of delivery");
  return frame.type === "control" ? control(line, frame.control) : message(line, frame.number, frame.payload);
}

/** @param data undefined if the number stands for nothing: no hook runs. */
function message(line: Receiver, number: number, data: Data | undefined): MaybePromise<void> {
  const { connection, session, turn } = line;
  switch (session.arrived(number)) {
    case "wrong":
      return connection.violated(CloseCode.protocolError, "A message out of turn");
    case "repeated":
      return turn.pending();
    case "next": {
      const { shared } = line;
      const done = (): void => {
        if (shared !== undefined) shared.sessions.ran(shared.side, number);
        else if (session.ran(number)) turn.pending();
      };
      if (data === undefined) return done();
      const posted = delivered(data, `${connection.id}:${number}`, done);
      return connection.deliver(shared === undefined ? posted : { ...posted, give: waiting(shared, posted) });
    }
  }
}

/** A hook that fails has had its message: it would fail again. */
function delivered(data: Data, messageId: string, done: () => void): Delivered {
  return {
    data,
    done,
    give(call) {
      try {
        const pending = call(data, { messageId });
        if (isPromise(pending)) return pending.then(done, (error: unknown) => failed(error, done));
      } catch (error) {
        failed(error, done);
      }
      done();
    },
  };
}

/** Its hook runs once the backplane takes what it does. Until then it stays with its client, which may go to another server. */
function waiting({ sessions, side }: NonNullable<Receiver["shared"]>, { give }: Delivered): Delivered["give"] {
  return (call) => {
    const may = sessions.mayRun(side);
    const run = (isHere: boolean): MaybePromise<void> => (isHere ? give(call) : undefined);
    return isPromise(may) ? may.then(run) : run(may);
  };
}

function failed(error: unknown, done: () => void): never {
  done();
  throw error;
}

function control(line: Receiver, { mark, at }: ClientControl): MaybePromise<void> {
  const { connection, session } = line;
  connection.alive();
  if (mark !== undefined && !line.reading(() => session.returned(mark)))
    return connection.violated(CloseCode.protocolError, "A mark that was not sent");
  if (at !== undefined) {
    if (typeof at !== "object" || at === null) return connection.violated(CloseCode.protocolError, "Not a frame of delivery");
    line.reading(() => session.missed(at));
  }
  line.noteBehind();
  if (line.shared !== undefined) line.shared.sessions.read(line.shared.side);
  return connection.eased();
}
