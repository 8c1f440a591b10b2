import type { LatencyHeatmap } from "../../server/contract/index.ts";

type Cell = LatencyHeatmap["cells"][number];

/** A cell in the address: from and to in Unix milliseconds, then the bounds of its row in milliseconds, the upper one left out where there is none. */
export interface CellRange {
  fromMs: number;
  toMs: number;
  minMs: number;
  maxMs: number | null;
}

export const cellText = ({ fromMs, toMs, minMs, maxMs }: CellRange): string =>
  [fromMs, toMs, minMs, maxMs ?? ""].join("_");

/** Null for what is no cell. */
export function parseCell(text: string | null): CellRange | null {
  const [, fromMs, toMs, minMs, maxMs] =
    /^(\d{1,15})_(\d{1,15})_(\d+(?:\.\d+)?)_(\d+(?:\.\d+)?)?$/.exec(text ?? "") ?? [];
  if (fromMs === undefined || toMs === undefined || minMs === undefined) return null;
  return {
    fromMs: Number(fromMs),
    toMs: Number(toMs),
    minMs: Number(minMs),
    maxMs: maxMs === undefined ? null : Number(maxMs),
  };
}

/** Without the time before there were records: a young mesh's few minutes fill the width. */
export function sinceRecorded(map: LatencyHeatmap): LatencyHeatmap {
  const stepMs = map.stepSec * 1000;
  const skipped = Math.min(map.steps - 1, Math.max(0, Math.floor((map.dataFromMs - map.fromMs) / stepMs)));
  return {
    ...map,
    fromMs: map.fromMs + skipped * stepMs,
    steps: map.steps - skipped,
    cells: map.cells.flatMap((cell) => (cell.step < skipped ? [] : [{ ...cell, step: cell.step - skipped }])),
  };
}

/** Above the largest of all bounds nothing is known: its row is open. */
const openFromMs = 680_000;

export function rangeOf(
  { fromMs, stepSec, boundsMs, leastMs }: LatencyHeatmap,
  { step, row }: Pick<Cell, "step" | "row">,
): CellRange {
  const start = fromMs + step * stepSec * 1000;
  const max = boundsMs[row] ?? 0;
  return {
    fromMs: start,
    toMs: start + stepSec * 1000,
    minMs: boundsMs[row - 1] ?? leastMs,
    maxMs: max >= openFromMs ? null : max,
  };
}

/** How full a cell is, 0.12 to 1, by the logarithm of its count: one slow request among thousands must be seen. */
export function levelOf(count: number, most: number): number {
  if (most <= 1) return 1;
  return 0.12 + 0.88 * (Math.log(count) / Math.log(most));
}

const steps: Record<string, readonly [number, number] | undefined> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The nearest cell with requests in a key's direction: the least out of the way of those ahead. Undefined for other keys, and at the edge. */
export function neighbour(cells: readonly Cell[], at: Cell, key: string): Cell | undefined {
  const direction = steps[key];
  if (!direction) return undefined;
  const [dx, dy] = direction;
  const distance = ({ step, row }: Cell): number => {
    const [x, y] = [step - at.step, row - at.row];
    const ahead = x * dx + y * dy;
    return ahead <= 0 ? Number.POSITIVE_INFINITY : ahead + 3 * Math.abs(x * dy + y * dx);
  };
  let best: Cell | undefined;
  for (const cell of cells) if (distance(cell) < (best ? distance(best) : Number.POSITIVE_INFINITY)) best = cell;
  return best;
}
