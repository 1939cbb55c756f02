/** What a room keeps besides its logs: values by key. They outlive the room's nodes, and have no lease. Plain text, encoded by the core. */

/** Each method is one atomic step, and may be called by a node that has not joined the room. */
export interface BackplaneValues {
  get(key: string): Promise<FoundValue>;
  /** Keys that begin with `prefix` and come after `after`, in UTF-8 order; at most `limit`, which is at least 1. */
  list(range: ValueRange): Promise<FoundValues>;
  /**
   * Writes all, or nothing where what was expected is not there: `update` and `transaction` read, compute, and write on that condition, and begin again if it
   * does not hold. May be repeated with the same tag: what was carried out already is written, whatever was expected.
   */
  write(write: ValueWrite): Promise<ValuesWritten>;
}

<<<<<<< HEAD
/** Which values `list` asks for. */
=======
/** Which values to list. */
>>>>>>> e-b
export interface ValueRange {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Of all values: the tag of the last write that changed any, `""` before the first. Two answers with the same version were given by the same values. */
interface Versioned {
  readonly version: string;
}

<<<<<<< HEAD
/** What `get` found. */
=======
/** A value, if there is one. */
>>>>>>> e-b
export interface FoundValue extends Versioned {
  readonly value: StoredValue | undefined;
}

<<<<<<< HEAD
/** A value as it is stored. */
=======
/** A value, and which write it comes from. */
>>>>>>> e-b
export interface StoredValue {
  readonly text: string;
  /** The tag of the write that it comes from. */
  readonly tag: string;
}

<<<<<<< HEAD
/** What `list` found, in order. */
=======
/** Some values, in order. */
>>>>>>> e-b
export interface FoundValues extends Versioned {
  readonly entries: readonly (readonly [key: string, text: string])[];
}

<<<<<<< HEAD
/** Changes that are made together, on a condition or without one. */
=======
/** Changes to values, and what has to be there for them. */
>>>>>>> e-b
export interface ValueWrite {
  /** Random. */
  readonly tag: string;
  /** Before the changes: every value is deleted. */
  readonly clear?: boolean;
  /** Undefined deletes the key. */
  readonly changes: ReadonlyMap<string, string | undefined>;
  /** Tags of values that must be there; undefined: none must be. */
  readonly expected?: ReadonlyMap<string, string | undefined>;
  /** Of all values. */
  readonly version?: string;
}

<<<<<<< HEAD
/** What became of a write. */
=======
/** Whether values were written. */
>>>>>>> e-b
export interface ValuesWritten extends Versioned {
  /** False: what was expected is not there, and nothing has changed. */
  readonly isWritten: boolean;
  /** Keys among the changes that had a value before. A repeated write has no answer to this: it is empty. */
  readonly existed: readonly string[];
}
