/** Code that must not stop halfway checks its stack first, while nothing has changed yet. */

/** More frames than anything in the core and below it needs (Node's streams under ws take about forty). */
const frames = 120;

/** @throws RangeError if the stack is nearly full: the application recurses without end. */
export function needStack(depth: number = frames): number {
  // Not a tail call, which JavaScriptCore would turn into a jump.
  return depth === 0 ? 0 : 1 + needStack(depth - 1);
}
