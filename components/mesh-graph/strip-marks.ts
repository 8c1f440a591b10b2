export interface MarkInput<T> {
  change: T;
  /** Pixels from the left. */
  x: number;
  text: string;
}

export interface PlacedMark<T> extends MarkInput<T> {
  /** Whether its words have room. */
  labelled: boolean;
  align: "left" | "center" | "right";
}

/** Rough width of the words at 11 px. */
const widthOf = (text: string): number => [...text].reduce((sum, char) => sum + (char > "⺀" ? 12 : 6.2), 8);

/** Which marks get their words: the newest first, as long as words don't cover each other or leave the strip. */
export function placeMarks<T>(marks: readonly MarkInput<T>[], width: number): PlacedMark<T>[] {
  const taken: [number, number][] = [];
  return marks
    .toSorted((a, b) => b.x - a.x)
    .map((mark) => {
      const size = widthOf(mark.text);
      const align = mark.x < size / 2 ? "left" : mark.x > width - size / 2 ? "right" : "center";
      const from = align === "left" ? mark.x : align === "right" ? mark.x - size : mark.x - size / 2;
      const labelled = size < width * 0.6 && !taken.some(([start, end]) => from < end && start < from + size);
      if (labelled) taken.push([from, from + size]);
      return { ...mark, labelled, align };
    });
}
