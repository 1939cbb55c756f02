/** What the user can correct: printed without a stack. */
export class Refusal extends Error {}
