/**
 * What a room has to do once, on one of the servers that share the backplane: its alarm, scheduled calls, and calls. They outlive the room's nodes. Times are
 * by the backplane's clock, which is the only one that all agree on. A server that works on tasks need not have joined the room.
 */

/** Tasks of one lane run one at a time, by their time, then in the order in which they came. Lanes don't wait for each other. */
export type Lane = "alarm" | "calls";

/** Something that the room has to do once. */
export interface Task {
  /** Unique in its lane. */
  readonly id: string;
  /** Random, for each `put`. */
  readonly tag: string;
  /** In milliseconds since 1970. */
  readonly time: number;
  /** If whoever runs it dies: true, and it runs again; false, and it is `interrupted`. */
  readonly isRepeated: boolean;
  /** For the core: name and arguments of a call, and where the answer goes. */
  readonly body: string;
  /** How many runs have begun. */
  readonly runs: number;
}

/** A task that is put into a lane. */
export interface NewTask {
  readonly lane: Lane;
  readonly id: string;
  readonly tag: string;
  /** Undefined: now. */
  readonly time: number | undefined;
  readonly isRepeated: boolean;
  readonly body: string;
  /** Tasks that the lane may have. */
  readonly most: number;
}

/** Each method is one atomic step. */
export interface BackplaneTasks {
  /** In place of the one with its id, if there is one: that is not retried. Resolves to false, and does nothing, if the lane is full. */
  put(task: NewTask): Promise<boolean>;
  /** Takes it back. One that runs runs on, but not again. Resolves to whether there was one. */
  remove(lane: Lane, id: string): Promise<boolean>;
  /** In order, those after the one with that id; at most `limit`, which is at least 1. Those that run are among them. */
  list(lane: Lane, after: string | undefined, limit: number): Promise<readonly Task[]>;
  /**
   * Takes the lane, and the task that is due first. Only one server has a lane, for the backplane's lease from its last call: it renews the claim at least each
   * third of that while it runs the task, and gets the same task until it is settled. A lane without a task that is due is nobody's.
   */
  claim(lane: Lane): Promise<LaneClaim>;
  /** This server has run the task. Resolves to false if another has the lane, or the task was replaced or removed meanwhile: then nothing is left to do. */
  settle(settled: SettledTask): Promise<boolean>;
}

/** What a server gets of a lane. */
export interface LaneClaim {
  /** Undefined if none is due, or another has the lane. */
  readonly task: Task | undefined;
  /** Removed now: the server that ran them has died. Told once. */
  readonly interrupted: readonly Task[];
  /**
   * Milliseconds until somebody has to look at the lane again: until the claim is over, of this server or another, or else until the first task is due.
   * Undefined if there is none.
   */
  readonly next: number | undefined;
}

/** A task that was run. */
export interface SettledTask {
  readonly lane: Lane;
  readonly id: string;
  readonly tag: string;
  /** It runs again then, in milliseconds from now, with the runs that it has had; undefined: it is over. */
  readonly again?: number | undefined;
}

/**
 * Which rooms have to be looked at: somebody asks from time to time, for all rooms. A room that is given out is given to nobody else for the backplane's lease, and
 * then again, unless `looked` says something else meanwhile.
 */
export interface BackplaneDue {
  /** At most `limit` rooms, the longest due first. */
  take(limit: number): Promise<DueRooms>;
  /** @param next milliseconds: the least `next` of its lanes. Ignored if a task was put into the room since it was given out. */
  looked(room: DueRoom, next: number | undefined): Promise<void>;
}

/** Rooms that have to be looked at. */
export interface DueRooms {
  readonly rooms: readonly DueRoom[];
  /** Milliseconds until another room is due, as far as is known; undefined if none is. */
  readonly next: number | undefined;
}

/** A room that has to be looked at, as it was given out. */
export interface DueRoom {
  readonly room: string;
  /** Which time it was given out. */
  readonly mark: string;
}
