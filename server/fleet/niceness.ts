import { readdirSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

const leastUrgent = constants.priority.PRIORITY_LOW;

/**
 * A process that has just been started lets others go first. On Linux each thread has a niceness of its own and takes its maker's: the first one comes
 * first, so that all it makes from now on are as nice, then those that it made before we had a turn.
 */
export function yieldTo(pid: number | undefined, niceness: number): void {
  if (pid === undefined) return;
  const nicer = Math.min(leastUrgent, getPriority() + niceness);
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, nicer);
    } catch {
      // It has ended already, or whoever runs this may not; it works either way.
    }
  }
}

/** Listed once the first has been dealt with. */
function* threadsOf(pid: number): Generator<number> {
  yield pid;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) yield Number(thread);
  } catch {
    // Not Linux, or it has ended.
  }
}
