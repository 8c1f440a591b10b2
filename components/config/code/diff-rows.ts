/** What CodeMirror's merge view leaves of what stays the same beside a change (`collapseUnchanged` of merge-diff.tsx). */
const margin = 3;
const minSize = 4;

/**
 * About how many lines the diff of two texts takes when it is shown, so that its place has its size before that: all that differs, from the first
 * line that does to the last, with what is kept around it and a line for each stretch that is folded away.
 */
export function diffRows(before: string, after: string): number {
  const [a, b] = [linesOf(before), linesOf(after)];
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  if (head === a.length && head === b.length) return Math.min(head, 1);
  const changed = a.length + b.length - 2 * (head + tail);
  return changed + keptOf(head) + keptOf(tail);
}

/** Of so many lines that stay the same, at one side of a change. */
const keptOf = (lines: number): number => (lines - margin >= minSize ? margin + 1 : lines);

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));
