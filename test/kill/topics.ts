/** The topics of the killed servers, and what their histories keep. Each has another bound. */

/** Characters or bytes of a long message: Bun's own topics send those differently. */
export const long = 20_000;

export interface Bounds {
  readonly messages: number;
  readonly bytes: number;
}

const most = 1024 ** 3;

export const bounds = {
  few: { messages: 8, bytes: most },
  many: { messages: 2000, bytes: most },
  heavy: { messages: 10_000, bytes: 12 * long },
  /** Subscribers get the position with each message. */
  placed: { messages: 400, bytes: most },
} as const satisfies Record<string, Bounds>;

export type TopicName = keyof typeof bounds;
export const topicNames = Object.keys(bounds) as readonly TopicName[];
