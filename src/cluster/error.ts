/** The backplane can't be reached, or too much waits for it. */
export class BackplaneError extends Error {
  override readonly name = "BackplaneError";
}
