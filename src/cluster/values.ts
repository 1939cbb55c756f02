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

/** Which values to list. */
export interface ValueRange {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Of all values: the tag of the last write that changed any, `""` before the first. Two answers with the same version were given by the same values. */
interface Versioned {
  readonly version: string;
}

/** A value, if there is one. */
export interface FoundValue extends Versioned {
  readonly value: StoredValue | undefined;
}

/** A value, and which write it comes from. */
export interface StoredValue {
  readonly text: string;
  /** The tag of the write that it comes from. */
  readonly tag: string;
}

/** Some values, in order. */
export interface FoundValues extends Versioned {
  readonly entries: readonly (readonly [key: string, text: string])[];
}

/** Changes to values, and what has to be there for them. */
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

/** Whether values were written. */
export interface ValuesWritten extends Versioned {
  /** False: what was expected is not there, and nothing has changed. */
  readonly isWritten: boolean;
  /** Keys among the changes that had a value before. A repeated write has no answer to this: it is empty. */
  readonly existed: readonly string[];
}
