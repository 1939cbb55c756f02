/** The error of a handshake that was refused. */

/** The error with which `connect` rejects. */
export interface Refused extends Error {
  readonly response: Response;
}

export function refusalOf(response: Response): Refused {
  return Object.assign(new Error(`the handshake was refused with ${response.status} [EW816]`), { response });
}
