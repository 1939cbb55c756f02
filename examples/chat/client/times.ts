/** Times as the user's locale writes them. */
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** The time of day, to the minute. */
export function clockTime(at: number): string {
  return clock.format(at);
}

/** Date and time, to the second. */
export function exactTime(at: number): string {
  return exact.format(at);
}

/** The day, in words. */
export function day(at: number): string {
  return date.format(at);
}
