export interface ChartMark {
  atMs: number;
  label: string;
  /** A CSS colour. */
  color: string;
}

/** Marks that stand so close that they share a flag. */
export interface PlacedMark {
  /** Pixels from the plot's left. */
  x: number;
  marks: ChartMark[];
  /** Where its words go, and how many pixels there are; null: only on hover or focus. */
  words: { side: "left" | "right"; room: number } | null;
}

const flagSize = 16;
const leastRoom = 84;
const mostRoom = 260;

/** Flags that never lie over each other, each with the words that there is room for. */
export function placeMarks(marks: readonly ChartMark[], fromMs: number, toMs: number, width: number): PlacedMark[] {
  if (toMs <= fromMs || width <= 0) return [];
  const placed: PlacedMark[] = [];
  for (const mark of marks.toSorted((a, b) => a.atMs - b.atMs)) {
    if (mark.atMs < fromMs || mark.atMs > toMs) continue;
    const x = ((mark.atMs - fromMs) / (toMs - fromMs)) * width;
    const last = placed.at(-1);
    if (last && x - last.x < flagSize) last.marks.push(mark);
    else placed.push({ x, marks: [mark], words: null });
  }
  let taken = 0;
  for (const [i, flag] of placed.entries()) {
    const right = (placed[i + 1]?.x ?? width + flagSize / 2) - flag.x - flagSize;
    const left = flag.x - flagSize / 2 - taken;
    if (right >= leastRoom) flag.words = { side: "right", room: Math.min(mostRoom, right) };
    else if (left >= leastRoom) flag.words = { side: "left", room: Math.min(mostRoom, left) };
    taken = flag.x + flagSize / 2 + (flag.words?.side === "right" ? flag.words.room : 0);
  }
  return placed;
}
