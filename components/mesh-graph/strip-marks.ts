export interface MarkInput<T> {
  change: T;
  /** Pixels from the left. */
  x: number;
  text: string;
  /** Who gets its words first, and stands for those around it. */
  weight: number;
}

/** One mark for one change, or for several that stand too near to each other to be told apart. */
export interface PlacedMark<T> {
  x: number;
  /** The weightiest first, the newest of equals. */
  changes: T[];
  /** Words that have room, with how many more they stand for; null: none. */
  label: { text: string; more: number; left: number; width: number } | null;
}

/** Marks nearer than this are one: a finger or a pointer could not choose between them. */
const reach = 12;
/** Rough width of the words at 11 px. */
const widthOf = (text: string): number => [...text].reduce((sum, char) => sum + (char > "⺀" ? 11.5 : 6), 6);

/** Gathers marks that stand too near to each other, and gives them words where those neither cover others nor leave the strip. */
export function placeMarks<T>(marks: readonly MarkInput<T>[], width: number): PlacedMark<T>[] {
  const groups: MarkInput<T>[][] = [];
  for (const mark of marks.toSorted((a, b) => a.x - b.x)) {
    const last = groups.at(-1);
    if (last && mark.x - (last[0]?.x ?? 0) < reach) last.push(mark);
    else groups.push([mark]);
  }
  const gathered = groups.map((group) => group.toSorted((a, b) => b.weight - a.weight || b.x - a.x));
  const taken: [number, number][] = [];
  const labels = new Map<MarkInput<T>, PlacedMark<T>["label"]>();
  const firsts = gathered.flatMap((group) => (group[0] ? [{ first: group[0], more: group.length - 1 }] : []));
  for (const { first, more } of firsts.toSorted((a, b) => b.first.weight - a.first.weight || b.first.x - a.first.x)) {
    const size = Math.min(widthOf(first.text) + (more ? 24 : 0), width * 0.72);
    const left = Math.max(0, Math.min(width - size, first.x - size / 2));
    if (width < 80 || taken.some(([from, to]) => left < to + 6 && from < left + size + 6)) continue;
    taken.push([left, left + size]);
    labels.set(first, { text: first.text, more, left, width: size });
  }
  return gathered.flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return [{ x: first.x, changes: group.map(({ change }) => change), label: labels.get(first) ?? null }];
  });
}
