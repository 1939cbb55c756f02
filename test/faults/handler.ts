/** What the objects serve whose storage fails: a message is a list of steps, each of which says what it came to; every hook is a line of the log. */
import type { Connection, Handler, LocalRoom } from "edgewire";

export type Step =
  | readonly ["setState", value: number, letters: number]
  | readonly ["subscribe" | "unsubscribe", topic: string]
  | readonly ["present", member: string]
  | readonly ["absent"]
  | readonly ["renew", inMilliseconds: number | null]
  | readonly ["setAlarm", inMilliseconds: number | null]
  | readonly ["sleep", milliseconds: number]
  | readonly ["close", code: number]
  | readonly ["terminate"]
  | readonly ["throw"]
  | readonly ["look"];

/** What the alarm's hook does: it fails in its first runs, takes a while, sets the next one. */
export interface AlarmPlan {
  readonly fail: number;
  readonly sleep: number;
  readonly next: number | undefined;
}

export interface Line {
  readonly room: string;
  readonly hook?: "room.open" | "room.empty" | "open" | "close" | "alarm" | "error";
  readonly did?: Step[0] | "alarm";
  readonly id?: string;
  readonly [field: string]: unknown;
}

export interface State {
  readonly value: number;
  readonly letters: string;
}

/** What the step "look" sees. */
export interface Look {
  readonly id: string;
  readonly value: number;
  readonly topics: readonly string[];
  readonly here: readonly string[];
  readonly count: number;
}

/** The query of a client's URL. */
export interface Opening {
  readonly client: number;
  readonly letters: number;
  readonly expires: number | undefined;
}

/** How many a room takes. */
export const places = 8;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function faultyHandler(binding: string, report: (line: Line) => void, alarmOf: (room: string) => AlarmPlan): Handler<State> {
  return {
    binding,
    heartbeat: { interval: 5000, timeout: 5000 },
    closeTimeout: 3000,
    maxConnectionsPerRoom: places,
    upgrade(request) {
      const { pathname, searchParams } = new URL(request.url);
      const expires = searchParams.get("expires");
      return {
        room: pathname.slice(1),
        state: { value: 0, letters: "x".repeat(Number(searchParams.get("letters"))) },
        ...(expires === null ? {} : { expiresAt: Date.now() + Number(expires) }),
      };
    },
    room: {
      open: ({ name }) => report({ room: name, hook: "room.open" }),
      empty: ({ name }) => report({ room: name, hook: "room.empty" }),
    },
    open: ({ room, id }) => report({ room: room.name, id, hook: "open" }),
    async message(connection, data) {
      const { nr, steps } = JSON.parse(String(data)) as { nr: number; steps: readonly Step[] };
      const results: unknown[] = [];
      for (const step of steps) {
        if (step[0] === "sleep") await sleep(step[1]);
        else results.push(attempt(connection, step, report));
      }
      connection.send(JSON.stringify({ nr, results }));
    },
    async close(connection, { code, initiator }) {
      const { room, id } = connection;
      report({ room: room.name, id, hook: "close", code, initiator, state: attempt(connection, ["look"], report) });
      await sleep(1);
    },
    presence: () => {},
    async alarm(room, { scheduledTime, retryCount }) {
      const { name } = room;
      const { fail, sleep: time, next } = alarmOf(name);
      report({ room: name, hook: "alarm", scheduledTime, retryCount });
      if (time > 0) await sleep(time);
      if (next !== undefined && retryCount === 0) setAlarm(room, next, report);
      if (retryCount < fail) throw new Error("the alarm's hook was told to fail");
      report({ room: name, did: "alarm", scheduledTime });
    },
    error: (error, { hook, connection, room }) =>
      report({
        room: room?.name ?? connection?.room.name ?? "",
        ...(connection === undefined ? {} : { id: connection.id }),
        hook: "error",
        of: hook,
        error: String(error),
      }),
  };
}

/** "threw": the step failed, and has changed nothing. */
function attempt(connection: Connection<State>, step: Step, report: (line: Line) => void): unknown {
  const { room, id } = connection;
  const did = (fields: Record<string, unknown>): void => report({ room: room.name, id, did: step[0], ...fields });
  if (step[0] === "throw") throw new Error("the hook was told to fail");
  try {
    switch (step[0]) {
      case "setState":
        connection.setState({ value: step[1], letters: "y".repeat(step[2]) });
        return did({ value: step[1] });
      case "subscribe":
      case "unsubscribe":
        connection[step[0]](step[1]);
        return did({ topic: step[1] });
      case "present":
        connection.present(step[1]);
        return did({ member: step[1] });
      case "absent":
        connection.absent();
        return did({});
      case "renew":
        connection.renew(step[1] === null ? null : Date.now() + step[1]);
        return did({});
      case "setAlarm":
        return setAlarm(room, step[1], report);
      case "close":
        return connection.close(step[1]);
      case "terminate":
        return connection.terminate();
      case "look": {
        const { value } = connection.state;
        return {
          id,
          value,
          topics: [...connection.topics].sort(),
          here: room
            .presence()
            .map((member) => member.id)
            .sort(),
          count: room.count(),
        };
      }
      case "sleep":
        return undefined;
    }
  } catch (error) {
    return `threw ${String(error)}`;
  }
}

function setAlarm(room: LocalRoom, inMilliseconds: number | null, report: (line: Line) => void): void {
  const time = inMilliseconds === null ? null : Date.now() + inMilliseconds;
  room.setAlarm(time);
  report({ room: room.name, did: "setAlarm", time });
}
