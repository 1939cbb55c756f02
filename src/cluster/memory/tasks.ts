/** A room's tasks in a backplane in memory. */
import type { Lane, LaneClaim, NewTask, SettledTask, Task } from "../tasks.ts";
import type { MemoryKept, MemoryLane, MemoryTask } from "./state.ts";

export function putTask(kept: MemoryKept, { lane: name, most, time, ...task }: NewTask, now: number): boolean {
  const lane = laneOf(kept, name);
  const known = lane.tasks.get(task.id);
  if (known?.tag === task.tag) return true;
  if (known === undefined && lane.tasks.size >= most) return false;
  lane.tasks.set(task.id, { ...task, time: time ?? now, due: time ?? now, order: ++kept.order, runs: 0 });
  return true;
}

export function removeTask(kept: MemoryKept, lane: Lane, id: string): boolean {
  return laneOf(kept, lane).tasks.delete(id);
}

export function listTasks(kept: MemoryKept, name: Lane, after: string | undefined, limit: number): readonly Task[] {
  const tasks = inOrder(laneOf(kept, name));
  const start = after === undefined ? 0 : tasks.findIndex(({ id }) => id === after) + 1;
  return tasks.slice(start, start + limit).map(taskOf);
}

export function claimLane(kept: MemoryKept, name: Lane, claimant: string, now: number, lease: number): LaneClaim {
  const lane = laneOf(kept, name);
  const { claim } = lane;
  if (claim !== undefined && claim.claimant !== claimant && claim.until > now) {
    return { task: undefined, interrupted: [], next: claim.until - now };
  }
  const running = runningOf(lane);
  const isSame = claim?.claimant === claimant;
  const until = now + lease;
  if (isSame && running !== undefined) {
    lane.claim = { ...claim, until };
    return { task: taskOf(running), interrupted: [], next: lease };
  }
  const interrupted = running !== undefined && !running.isRepeated ? [taskOf(running)] : [];
  for (const { id } of interrupted) lane.tasks.delete(id);
  const [first] = inOrder(lane);
  if (first === undefined || first.due > now) {
    lane.claim = undefined;
    return { task: undefined, interrupted, next: first === undefined ? undefined : first.due - now };
  }
  first.runs++;
  lane.claim = { claimant, until, id: first.id, tag: first.tag };
  return { task: taskOf(first), interrupted, next: lease };
}

export function settleTask(
  kept: MemoryKept,
  { lane: name, id, tag, again }: SettledTask,
  claimant: string,
  now: number,
  lease: number,
): boolean {
  const lane = laneOf(kept, name);
  const { claim } = lane;
  if (claim === undefined || claim.claimant !== claimant || claim.id !== id || claim.tag !== tag) return false;
  const running = runningOf(lane);
  lane.claim = { claimant, until: now + lease, id: undefined, tag: undefined };
  if (running === undefined) return false;
  if (again === undefined) lane.tasks.delete(id);
  else Object.assign(running, { due: now + again, order: ++kept.order });
  return true;
}

/** In milliseconds since 1970: when somebody has to look at the room; undefined for never. */
export function dueOf({ lanes }: MemoryKept, now: number): number | undefined {
  const times = [...lanes.values()].flatMap((lane) => {
    const [first] = inOrder(lane);
    if (first === undefined) return [];
    return lane.claim !== undefined && lane.claim.until > now ? [lane.claim.until] : [first.due];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

function laneOf({ lanes }: MemoryKept, name: Lane): MemoryLane {
  const known = lanes.get(name);
  if (known !== undefined) return known;
  const lane: MemoryLane = { tasks: new Map(), claim: undefined };
  lanes.set(name, lane);
  return lane;
}

function inOrder({ tasks }: MemoryLane): MemoryTask[] {
  return [...tasks.values()].sort((a, b) => a.due - b.due || a.order - b.order);
}

/** What the claimant runs, if it has not been replaced or removed. */
function runningOf({ tasks, claim }: MemoryLane): MemoryTask | undefined {
  const task = claim?.id === undefined ? undefined : tasks.get(claim.id);
  return task?.tag === claim?.tag ? task : undefined;
}

function taskOf({ id, tag, time, isRepeated, body, runs }: MemoryTask): Task {
  return { id, tag, time, isRepeated, body, runs };
}
