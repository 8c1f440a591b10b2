import { constants, getPriority, setPriority } from "node:os";

const leastUrgent = constants.priority.PRIORITY_LOW;

/** Before the process has made threads, which on Linux each have a niceness of their own and take their maker's. */
export function yieldTo(pid: number | undefined, niceness: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(leastUrgent, getPriority() + niceness));
  } catch {
    // It has ended already, or whoever runs this may not; it works either way.
  }
}
